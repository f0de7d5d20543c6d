//! The modules of a crate: what each defines, imports and mentions, and which file a path leads to.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Meta, Path, UseTree,
    visit::{self, Visit},
};

use crate::source::mentions;

/// The files of a crate by their path.
pub type Files = BTreeMap<String, String>;

/// A crate's modules; the first is its root.
#[derive(Default)]
pub struct Tree {
    pub modules: Vec<Module>,
    pub mentions: Vec<Mentioned>,
}

/// A module: a file, or a part of one.
#[derive(Default)]
pub struct Module {
    pub file: String,
    parent: usize,
    children: BTreeMap<String, usize>,
    defined: BTreeSet<String>,
    imported: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// A path that a module mentions, in a `use` or in code.
pub struct Mentioned {
    pub module: usize,
    pub path: Vec<String>,
    pub line: usize,
}

/// The place that a path leads to, by the number of the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    Module(usize),
    ItemOf(usize),
}

impl Tree {
    /// Reads the modules from a root (`…/src/lib.rs`, `…/src/main.rs`) down.
    pub fn read(files: &Files, root: &str) -> Self {
        let mut tree = Self::default();
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut reader = Reader { files, tree: &mut tree, module: 0, folder: folder.to_owned() };
        reader.file(root, 0);
        tree
    }

    /// Is true where a module lies below another.
    pub fn is_below(&self, module: usize, above: usize) -> bool {
        module != 0 && (self.modules[module].parent == above || self.is_below(self.modules[module].parent, above))
    }

    /// Follows a path that a module mentions to its place in the crate, through re-exports to what they re-export.
    pub fn resolve(&self, from: usize, path: &[String]) -> Option<Target> {
        self.follow(from, path, &mut BTreeSet::new())
    }

    /// The module that a path names before its last word, through which it comes to the item.
    pub fn door(&self, from: usize, path: &[String]) -> Option<usize> {
        match self.resolve(from, &path[..path.len() - 1])? {
            Target::Module(door) if door != from && !self.is_below(from, door) => Some(door),
            _ => None,
        }
    }

    fn follow(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String, bool)>) -> Option<Target> {
        let mut at = Target::Module(from);
        for (number, name) in path.iter().enumerate() {
            let Target::Module(module) = at else { break };
            let is_last = number + 1 == path.len();
            at = match name.as_str() {
                "crate" => Target::Module(0),
                "self" => at,
                "super" => Target::Module(self.modules[module].parent),
                _ => match self.look_up(module, name, is_last, seen) {
                    Some(found) => found,
                    None if number == 0 => return None, // of another crate, or of the language
                    None => Target::ItemOf(module),     // made by a macro
                },
            };
        }
        Some(at)
    }

    /// Looks up a name in a module. A module and an item may have the same name: before `::` stands the module.
    fn look_up(
        &self,
        module: usize,
        name: &str,
        is_last: bool,
        seen: &mut BTreeSet<(usize, String, bool)>,
    ) -> Option<Target> {
        if !seen.insert((module, name.to_owned(), is_last)) {
            return None;
        }
        let here = &self.modules[module];
        let child = here.children.get(name).map(|child| Target::Module(*child));
        if child.is_some() && !is_last {
            return child;
        }
        if here.defined.contains(name) {
            return Some(Target::ItemOf(module));
        }
        let imported = here.imported.get(name).and_then(|path| self.follow(module, path, seen));
        let globbed = || {
            here.globs.iter().find_map(|glob| match self.follow(module, glob, seen)? {
                Target::Module(other) => self.look_up(other, name, is_last, seen),
                Target::ItemOf(_) => None,
            })
        };
        imported.or_else(globbed).or(child)
    }
}

/// Is true of what stands under `#[cfg(test)]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

struct Reader<'a> {
    files: &'a Files,
    tree: &'a mut Tree,
    module: usize,
    /// The folder of the module's children.
    folder: String,
}

impl Reader<'_> {
    fn file(&mut self, file: &str, parent: usize) {
        let text = &self.files[file];
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{file} is no Rust: {error}"));
        self.module = self.tree.modules.len();
        self.tree.modules.push(Module { file: file.to_owned(), parent, ..Module::default() });
        self.visit_file(&syntax);
    }

    fn import(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| match name.to_string().as_str() {
            "self" if !before.is_empty() => before.to_vec(),
            name => [before, &[name.to_owned()]].concat(),
        };
        let (name, path, span) = match tree {
            UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(tree, before)),
            UseTree::Name(name) => (with(&name.ident).last().cloned(), with(&name.ident), name.ident.span()),
            UseTree::Rename(name) => (Some(name.rename.to_string()), with(&name.ident), name.ident.span()),
            UseTree::Glob(glob) => (None, before.to_vec(), glob.star_token.spans[0]),
        };
        let module = &mut self.tree.modules[self.module];
        match name {
            Some(name) => drop(module.imported.insert(name, path.clone())),
            None => module.globs.push(path.clone()),
        }
        self.mention(path, span.start().line);
    }

    fn mention(&mut self, path: Vec<String>, line: usize) {
        self.tree.mentions.push(Mentioned { module: self.module, path, line });
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Mod(item) => (&item.attrs, None),
            Item::Use(item) => (&item.attrs, None),
            _ => return,
        };
        if !is_for_tests(attributes) {
            let module = &mut self.tree.modules[self.module];
            module.defined.extend(name.map(ToString::to_string));
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(function) if is_for_tests(&function.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let (name, above, number) = (item.ident.to_string(), self.module, self.tree.modules.len());
        let folder = format!("{}/{name}", self.folder);
        let above_folder = std::mem::replace(&mut self.folder, folder.clone());
        if let Some((_, items)) = &item.content {
            let file = self.tree.modules[above].file.clone();
            self.tree.modules.push(Module { file, parent: above, ..Module::default() });
            self.module = number;
            items.iter().for_each(|item| self.visit_item(item));
        } else {
            let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
            if let Some(file) = files.iter().find(|file| self.files.contains_key(*file)) {
                self.file(file, above);
            }
        }
        if self.tree.modules.len() > number {
            self.tree.modules[above].children.insert(name, number);
        }
        self.module = above;
        self.folder = above_folder;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.mention(names, path.segments[0].ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        for inner in mentions(call.tokens.clone()) {
            self.mention(inner.path, inner.line);
        }
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}
