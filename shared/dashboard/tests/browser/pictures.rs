//! Weights of pages, and the pictures of the guide.

use std::{env, fs, path::Path};

use crate::{
    chromium::{Chromium, Site},
    sample,
};

/// Bytes of a page with all that it loads, at most.
const WEIGHT: u64 = 60 * 1024;
/// Bytes of a picture, at most.
const PICTURE: usize = 60 * 1024;

pub async fn every_page_weighs_60_kb_at_most() {
    let (app, paths) = sample::day().await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    for path in paths {
        tab.go(&path).await;
        let weight = "performance.getEntries().reduce((sum, it) => sum + (it.decodedBodySize ?? 0), 0)";
        let weight: u64 = tab.value(weight).await.unwrap();
        eprintln!("{path:>40}: {weight} bytes");
        assert!((1..=WEIGHT).contains(&weight), "{path}: {weight} bytes");
    }
}

/// The guide has them as text within its Markdown: rustdoc carries no files. They are as wide as its column.
pub async fn pictures_of_the_guide_are_of_these_pages() {
    let (app, paths) = sample::day().await;
    let (site, chromium) = (Site::of(app.client()), Chromium::start().await);
    let tab = chromium.open(&site, "/").await;
    let running = paths[2].clone();
    for (name, says, path, width, height, colours) in [
        ("overview", "The overview: what needs a look, and what each task does", "/overview", 960, 640, "light"),
        ("run", "A run while it waits for its next iteration", &*running, 960, 800, "light"),
        ("phone", "The runs on a phone, in the dark", "/", 390, 700, "dark"),
    ] {
        tab.looks_like(width, height, colours).await;
        tab.go(path).await;
        let picture = tab.picture().await;
        let bytes = picture.len() / 4 * 3;
        eprintln!("{name}: {bytes} bytes");
        assert!((2_000..=PICTURE).contains(&bytes), "{name}: {bytes} bytes");
        let text = format!("![{says}](data:image/webp;base64,{picture})\n");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../sdk/src/guide/images/{name}.md"));
        if env::var_os("UPDATE").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        } else {
            let kept = fs::read_to_string(file).unwrap_or_default();
            assert!(kept.starts_with(&format!("![{says}](data:image/webp;base64,")), "{name}: make it by UPDATE=1");
        }
    }
}
