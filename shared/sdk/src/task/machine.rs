/// Sizes of a Lambda by name. CPU comes with memory: 1,769 MB are one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// 443 MB, a quarter of a vCPU.
    Micro,
    /// 885 MB, half a vCPU.
    Small1x,
    /// 1,769 MB, one vCPU.
    Small2x,
    /// 2,048 MB.
    Medium1x,
    /// 4,096 MB.
    Medium2x,
    /// 8,192 MB.
    Large1x,
}

impl From<Machine> for u32 {
    fn from(machine: Machine) -> Self {
        match machine {
            Machine::Micro => 443,
            Machine::Small1x => 885,
            Machine::Small2x => 1_769,
            Machine::Medium1x => 2_048,
            Machine::Medium2x => 4_096,
            Machine::Large1x => 8_192,
        }
    }
}
