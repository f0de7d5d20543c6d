# What the scripts beside it have in common. They run from the top of the app's workspace; $home is the top of the sources
# that they are of, which for the sample is the same.
# shellcheck shell=sh

fail() {
    echo "error: $*" >&2
    exit 1
}

target=${CARGO_TARGET_DIR:-target}
# Where what is built is put; another place keeps two builds apart.
out=${OUT:-$target/dacapo}
app=${APP:-$(sed -n "/^\[workspace.metadata.dacapo\]/,/^\[/s/^app *= *\"\(.*\)\"/\1/p" Cargo.toml)}
# One function for each crate in these folders; their binaries are named after them.
crates=
for manifest in $(printf '%s/*/Cargo.toml ' ${FUNCTIONS:-functions}); do
    [ -f "$manifest" ] || fail "$manifest: no crate is there (FUNCTIONS names folders of crates, such as FUNCTIONS=functions)"
    crates="$crates $(basename "$(dirname "$manifest")")"
done

# Fails where a variable names a file that isn't there: `given_file RESOURCES "$RESOURCES"`.
given_file() {
    [ -z "$2" ] || [ -f "$2" ] || fail "$1=$2: no such file (leave it out, or name one that is there)"
}

# This machine's processor, as Lambda names it.
host_arch() {
    case $(rustc -vV | sed -n 's/^host: //p') in
    aarch64-*) echo arm64 ;;
    *) echo x86_64 ;;
    esac
}

# An endpoint on this machine runs the functions on this machine.
is_local_endpoint() {
    case ${AWS_ENDPOINT_URL:-} in
    *://127.* | *://localhost | *://localhost[:/]* | *'://[::1]'*) return 0 ;;
    *) return 1 ;;
    esac
}

# An endpoint on this machine gets what this machine builds soonest; AWS what runs there best.
choose_for_endpoint() {
    if is_local_endpoint; then
        ARCH=${ARCH:-$(host_arch)} PROFILE=${PROFILE:-dev}
    else
        ARCH=${ARCH:-arm64}
    fi
}

# Takes a tool that is installed, else ours: `need aws` or `need cargo lambda`.
need() {
    "$@" --version >/dev/null 2>&1 && return
    tools=$("$home/tests/localstack/tools") || fail "$* is needed (install it, or Python 3.13 to have it installed)"
    PATH=$tools:$PATH
    "$@" --version >/dev/null 2>&1 || fail "$* is needed and doesn't run (try: $* --version)"
}

# Runs a step that Rust has: what called the scripts.
infra() {
    "${DACAPO_INFRA:?is not set (use make build, make deploy and make destroy)}" "$@"
}

# Learns which account is spoken to, and says in one line why none can be.
need_account() {
    need aws
    # Version 1 of the AWS command line reads the older name alone.
    region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
    [ -n "$region" ] || fail "no AWS region (set AWS_REGION)"
    export AWS_DEFAULT_REGION="$region" AWS_PAGER='' AWS_MAX_ATTEMPTS="${AWS_MAX_ATTEMPTS:-4}"
    if ! account=$(aws sts get-caller-identity --query Account --output text --cli-connect-timeout 5 2>&1); then
        case $account in
        *'onnect to the endpoint'* | *onnect\ timeout*)
            fail "nothing answers at ${AWS_ENDPOINT_URL:-AWS} (start it; or unset AWS_ENDPOINT_URL to use AWS itself)" ;;
        *'locate credentials'*)
            fail "no AWS credentials (set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; an emulator takes any)" ;;
        *)
            fail "AWS refuses: $(echo "$account" | tail -n 1)" ;;
        esac
    fi
    where="account $account, $region${AWS_ENDPOINT_URL:+, $AWS_ENDPOINT_URL}"
}

need_stage() {
    [ -n "${STAGE:-}" ] || fail "no stage (say for example: make $1 STAGE=dev)"
    stack=$app-$STAGE
}

stack_status() {
    problem=$(mktemp)
    for _ in 1 2 3 4 5; do
        if aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus' --output text 2>"$problem" ||
            grep -q 'does not exist' "$problem"; then
            rm "$problem"
            return
        fi
        sleep 2 # It says nothing about the stack: the network, throttling, a machine that is too busy.
    done
    fail "can't look at the stack $stack: $(tail -n 1 "$problem")"
}

# Waits for the stack to come to rest, and tells of each resource that does. Its last status is in $status.
wait_for_stack() {
    since=$1 told=$(mktemp)
    while :; do
        status=$(stack_status)
        stack_events "$since" | while read -r _ event resource _; do
            case $event in
            CREATE_COMPLETE) line="  created $resource" ;;
            UPDATE_COMPLETE) line="  updated $resource" ;;
            DELETE_COMPLETE) line="  deleted $resource" ;;
            *) continue ;;
            esac
            [ "$resource" = "$stack" ] || grep -qx "$line" "$told" || echo "$line" | tee -a "$told"
        done
        case $status in
        *_IN_PROGRESS) sleep 2 ;;
        *) break ;;
        esac
    done
    rm -f "$told"
}

# Time, status, resource and reason of what happened since then, oldest first.
stack_events() {
    aws cloudformation describe-stack-events --stack-name "$stack" --output text \
        --query 'StackEvents[].[Timestamp, ResourceStatus, LogicalResourceId, ResourceStatusReason]' 2>/dev/null |
        awk -v since="$1" '$1 > since' | sort -s -k1,1
}

# When the stack's latest event was, by its own clock: what comes after it is news.
latest_event() {
    stack_events '' | tail -n 1 | cut -f 1
}

# Makes the change set that brings the stack, whose status is known, to a template, and shows it. Its name is in $changes;
# returns 1 where there is nothing to change.
make_changes() {
    changes=deploy-$(date +%s)-$$ kind=UPDATE
    case $status in '' | DELETE_COMPLETE) kind=CREATE ;; esac
    said=$(aws cloudformation create-change-set --stack-name "$stack" --change-set-name "$changes" --change-set-type "$kind" \
        --template-url "$1" --capabilities CAPABILITY_NAMED_IAM --parameters "file://$2" 2>&1) ||
        fail "create-change-set: $(echo "$said" | tail -n 1)"
    while :; do
        said=$(describe_changes '[Status, StatusReason]') || exit 1
        case $said in
        CREATE_COMPLETE*) break ;;
        FAILED*"didn't contain changes"* | FAILED*'No updates are to be performed'*)
            forget_changes
            return 1
            ;;
        FAILED*)
            forget_changes
            fail "no changes can be made of the template: $(echo "$said" | cut -f 2-)"
            ;;
        esac
        sleep 1
    done
    if [ "$kind" = CREATE ]; then
        echo "  adds     the stack $stack, of $(describe_changes 'length(Changes)') resources"
        return
    fi
    describe_changes 'Changes[].ResourceChange.[Action, LogicalResourceId, ResourceType, Replacement]' | awk -F '\t' '
        BEGIN { verb["Add"] = "adds"; verb["Modify"] = "changes"; verb["Remove"] = "removes" }
        NF >= 3 {
            note = $4 == "True" ? "  REPLACED: another takes its place" : $4 == "Conditional" ? "  may be replaced" : ""
            printf "  %-8s %s (%s)%s\n", ($1 in verb ? verb[$1] : $1), $2, $3, note
        }'
}

describe_changes() {
    aws cloudformation describe-change-set --stack-name "$stack" --change-set-name "$changes" --output text --query "$1" ||
        fail "can't look at the changes of $stack"
}

# A stack that was never made is no more than its change set.
forget_changes() {
    if [ "$kind" = CREATE ]; then
        aws cloudformation delete-stack --stack-name "$stack"
    else
        aws cloudformation delete-change-set --stack-name "$stack" --change-set-name "$changes" >/dev/null
    fi
}

# Is true of a stage that is changed only on agreement: one that Cargo.toml names in `protected` of
# `[workspace.metadata.dacapo]`, or without that line `prod` and `production`.
is_protected() {
    case ${PROTECTED:-} in
    yes) return 0 ;;
    no) return 1 ;;
    '') ;;
    *) fail "PROTECTED=$PROTECTED is neither yes nor no" ;;
    esac
    protected=$(sed -n '/^\[workspace.metadata.dacapo\]/,/^\[/s/^protected *= *\[\(.*\)\].*/[\1]/p' Cargo.toml)
    case ${protected:='["prod", "production"]'} in *"\"$STAGE\""*) return 0 ;; *) return 1 ;; esac
}

# Returns where the changes may be made; else forgets them and fails.
may_change() {
    case ${YES:-} in
    yes) return ;;
    '') ;;
    *) forget_changes && fail "YES=$YES (say YES=yes to change $STAGE without a question)" ;;
    esac
    is_protected || return 0
    if [ ! -t 0 ]; then
        forget_changes
        fail "$STAGE is protected, and there is no terminal to ask at (say YES=yes to make these changes)"
    fi
    printf 'make these changes to %s in %s? [yes/no] ' "$stack" "$where"
    read -r answer
    if [ "$answer" != yes ]; then
        forget_changes
        fail "nothing was changed"
    fi
}

# Waits until the stack has more to tell than it had: a change set is executed some time after it was told to be.
wait_for_news() {
    for _ in $(seq 60); do
        [ "$(latest_event)" = "$1" ] || return 0
        sleep 1
    done
    fail "$stack was told to change and doesn't (see its events, and deploy again)"
}
