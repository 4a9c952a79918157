//! Container images: both layouts, plain and gzipped, whole and damaged, and from the real tools.

use std::fs;
use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use perf_budget_core::outcome::Cause;
use serde_json::{Value, json};

use super::instruments::report_skipped;
use super::{Dir, sha256};

/// An entry of a tar archive: its name, its type, and its content or the target of its link.
type Entry = (String, u8, Vec<u8>);

fn file(name: &str, content: &[u8]) -> Entry {
    (name.to_owned(), b'0', content.to_vec())
}

fn link(name: &str, to: &str) -> Entry {
    (name.to_owned(), b'2', to.as_bytes().to_vec())
}

fn json(name: &str, value: &Value) -> Entry {
    file(name, value.to_string().as_bytes())
}

/// Makes a ustar archive, by hand so that a test can make it wrong.
fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut archive = vec![];
    for (name, kind, content) in entries {
        let is_link = matches!(kind, b'1' | b'2');
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..107].copy_from_slice(b"0000644");
        let size = if is_link { 0 } else { content.len() };
        header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        header[156] = *kind;
        if is_link {
            header[157..157 + content.len()].copy_from_slice(content);
        }
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend(header);
        if !is_link {
            archive.extend(content);
            archive.resize(archive.len().next_multiple_of(512), 0);
        }
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Makes a layer of one file with this many bytes.
fn layer(bytes: usize) -> Vec<u8> {
    let content: Vec<u8> =
        (0..bytes as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    tar(&[file("file", &content)])
}

fn config(layers: &[&[u8]]) -> Value {
    let ids: Vec<_> = layers.iter().map(|layer| format!("sha256:{}", sha256(layer))).collect();
    json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids}})
}

/// Makes the entries that `docker save` wrote until version 25: the second layer is a link, and the manifest comes
/// last.
fn saved(layers: [&[u8]; 2]) -> Vec<Entry> {
    let names = ["a/layer.tar", "b/layer.tar"];
    vec![
        file(names[0], layers[0]),
        file("c.tar", layers[1]),
        link(names[1], "../c.tar"),
        json("config.json", &config(&layers)),
        json(
            "manifest.json",
            &json!([{"Config": "config.json", "RepoTags": ["one:1"], "Layers": names}]),
        ),
    ]
}

fn blob(content: &[u8]) -> Entry {
    file(&format!("blobs/sha256/{}", sha256(content)), content)
}

fn descriptor(kind: &str, content: &[u8]) -> Value {
    let kind = format!("application/vnd.oci.image.{kind}");
    json!({"mediaType": kind, "digest": format!("sha256:{}", sha256(content)), "size": content.len()})
}

fn index(manifests: &[Value]) -> Value {
    let kind = "application/vnd.oci.image.index.v1+json";
    json!({"schemaVersion": 2, "mediaType": kind, "manifests": manifests})
}

/// Makes an OCI layout of images with gzipped layers, an index in the index, and a build record beside it.
fn oci_layout(images: &[&[&[u8]]]) -> Vec<Entry> {
    let mut entries = vec![json("oci-layout", &json!({"imageLayoutVersion": "1.0.0"}))];
    let mut manifests = vec![];
    for (i, layers) in images.iter().enumerate() {
        let config = config(layers).to_string().into_bytes();
        let layers: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
        let descriptors: Vec<_> =
            layers.iter().map(|layer| descriptor("layer.v1.tar+gzip", layer)).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("config.v1+json", &config),
            "layers": descriptors,
        })
        .to_string();
        let mut named = descriptor("manifest.v1+json", manifest.as_bytes());
        named["platform"] = json!({"os": "linux", "architecture": (["amd64", "arm64"][i])});
        manifests.push(named);
        entries.extend(layers.iter().map(|layer| blob(layer)));
        entries.extend([blob(&config), blob(manifest.as_bytes())]);
    }
    let record = br#"{"config": null, "layers": []}"#;
    let mut named = descriptor("manifest.v1+json", record);
    named["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    manifests.push(named);
    let absent = descriptor("manifest.v1+json", b"another platform, not saved");
    manifests.push(absent);
    let inner = index(&manifests).to_string();
    let index = index(&[descriptor("index.v1+json", inner.as_bytes())]);
    entries.extend([blob(record), blob(inner.as_bytes()), json("index.json", &index)]);
    entries
}

/// Checks the layers and the unpacked bytes of an archive, as it is and gzipped.
#[track_caller]
fn check(dir: &Dir, archive: &[u8], layers: &[&[u8]]) {
    let lengths = layers.iter().map(|layer| layer.len());
    let (unpacked, count) = (lengths.clone().sum::<usize>() as f64, layers.len() as f64);
    for archive in [archive, &gzip(archive)] {
        dir.write("image", archive);
        let got = |metric| dir.measure(&["image"], metric).unwrap().value.to_bits();
        assert_eq!(got("layers"), count.to_bits());
        assert_eq!(got("unpacked"), unpacked.to_bits());
        dir.check(&["image"], "size", archive.len() as f64, &[]);
    }
}

#[track_caller]
fn fails(dir: &Dir, archive: &[u8], cause: Cause, words: &[&str]) {
    for archive in [archive, &gzip(archive)] {
        dir.write("image", archive);
        for metric in ["layers", "unpacked"] {
            dir.fails(&["image"], metric, cause, &[&["`image`"], words].concat());
        }
    }
}

#[test]
fn both_layouts_plain_and_gzipped() {
    let dir = Dir::new("layouts");
    let (a, b) = (layer(9_000), layer(70_000));
    check(&dir, &tar(&saved([&a, &b])), &[&a, &b]);
    check(&dir, &tar(&saved([&a, &a])), &[&a, &a]);
    check(&dir, &tar(&oci_layout(&[&[&a, &b]])), &[&a, &b]);
    dir.write("image", &tar(&saved([&a, &b])));
    let note = "2 layers; the largest is number 2, unpacked 71680 B";
    dir.check(&["image"], "layers", 2.0, &[&note.replace("71680 B", "71.7 KB")]);
}

#[test]
fn a_directory_is_a_layout_too() {
    let dir = Dir::new("layout-directory");
    let (a, b) = (layer(9_000), layer(70_000));
    for (name, _, content) in oci_layout(&[&[&a, &b, &a]]) {
        dir.write(&format!("layout/{name}"), &content);
    }
    let unpacked = (2 * a.len() + b.len()) as f64;
    assert_eq!(dir.measure(&["layout"], "unpacked").unwrap().value.to_bits(), unpacked.to_bits());
    // The archive is made by a program that is not ours, with `./` before every name.
    let tar = Command::new("tar")
        .args(["-C", "layout", "-cf", "by-tar", "."])
        .current_dir(&dir.0)
        .status();
    match tar {
        Ok(status) => assert!(status.success()),
        Err(_) => return report_skipped("tar"),
    }
    assert_eq!(dir.measure(&["by-tar"], "unpacked").unwrap().value.to_bits(), unpacked.to_bits());
    let both = dir.measure(&["by-tar", "layout"], "layers").unwrap();
    assert_eq!(both.value.to_bits(), 6.0_f64.to_bits());
}

#[test]
fn an_incomplete_or_ambiguous_image_has_no_size() {
    let dir = Dir::new("no-image");
    let (a, b) = (layer(9_000), layer(70_000));
    let bad = Cause::Unsuitable;
    fails(&dir, b"text", bad, &["neither a tar archive"]);
    fails(&dir, &tar(&[file("a", b"text")]), bad, &["`manifest.json`"]);
    fails(&dir, &tar(&oci_layout(&[&[&a], &[&b]])), bad, &["2 images (linux/amd64, linux/arm64)"]);
    fails(&dir, &tar(&oci_layout(&[])), bad, &["no image"]);
    fails(&dir, &tar(&oci_layout(&[&[]])), Cause::Empty, &["no layer"]);
    for left_out in 0..4 {
        let mut entries = saved([&a, &b]);
        entries.remove(left_out);
        fails(&dir, &tar(&entries), bad, &["missing"]);
    }
    let mut entries = saved([&a, &b]);
    entries[0].2 = layer(8_999);
    fails(&dir, &tar(&entries), bad, &["`a/layer.tar`", "another digest"]);
    let mut entries = saved([&a, &b]);
    entries[3] = json("config.json", &config(&[&a]));
    fails(&dir, &tar(&entries), bad, &["2 layers", "configuration 1"]);
    // The second layer leads out of the archive, to a file that exists on this machine.
    for target in ["/etc/passwd", "../../../../../../../../etc/passwd", "../b/layer.tar"] {
        let mut entries = saved([&a, &b]);
        entries[2] = link("b/layer.tar", target);
        fails(&dir, &tar(&entries), bad, &["`b/layer.tar` is missing"]);
    }
    let mut entries = saved([&a, &b]);
    entries[4] = file("manifest.json", b"[{\"Config\": 7}]");
    fails(
        &dir,
        &tar(&entries),
        bad,
        &["`manifest.json`", "invalid type: integer `7`, expected a string"],
    );
    entries[4] = file("manifest.json", &b"[".repeat(100_000));
    fails(&dir, &tar(&entries), bad, &["`manifest.json`", "recursion limit exceeded"]);
    let deep = [&br#"[{"Config": "config.json", "Other": "#[..], &b"[".repeat(100_000)].concat();
    entries[4] = file("manifest.json", &deep);
    fails(&dir, &tar(&entries), bad, &["`manifest.json`", "recursion limit exceeded"]);
}

/// A gate must not mistake a damaged image for a smaller one: whatever is cut off or changed, the reading is an error
/// or the right one.
#[test]
fn damage_never_changes_a_size() {
    let dir = Dir::new("damage");
    let (a, b) = (layer(700), layer(3_000));
    let unpacked = (a.len() + b.len()) as f64;
    for whole in [tar(&saved([&a, &b])), tar(&oci_layout(&[&[&a, &b]]))] {
        for whole in [gzip(&whole), whole] {
            let mut refused = 0;
            let mut check_damaged = |damaged: &[u8]| {
                dir.write("image", damaged);
                match dir.measure(&["image"], "unpacked") {
                    Ok(reading) => assert_eq!(reading.value.to_bits(), unpacked.to_bits()),
                    Err(_) => refused += 1,
                }
            };
            let step = whole.len() / 80 + 1;
            for at in (1..whole.len()).step_by(step) {
                check_damaged(&whole[..at]);
                let mut flipped = whole.clone();
                flipped[at] ^= 0x11;
                check_damaged(&flipped);
            }
            assert!(refused > 50, "{refused}");
        }
    }
}

/// A small file that unpacks to a large one, because it is compressed twice.
#[test]
fn a_compression_bomb_is_counted_in_full() {
    let dir = Dir::new("bomb");
    let bomb = vec![0; 20_000_000];
    let entries = oci_layout(&[&[&bomb]]);
    let image = gzip(&tar(&entries));
    assert!(image.len() < bomb.len() / 100);
    dir.write("image", &image);
    dir.check(&["image"], "unpacked", bomb.len() as f64, &[]);
}

/// The images that the real tools write have the layers and the sizes that the tools report.
#[test]
fn images_that_skopeo_wrote() {
    let dir = Dir::new("skopeo");
    let (a, b) = (layer(9_000), layer(70_000));
    for (name, _, content) in oci_layout(&[&[&a, &b]]) {
        dir.write(&format!("layout/{name}"), &content);
    }
    // If an index names several platforms, skopeo takes the machine's, so the test names the one that exists.
    let targets = ["docker-archive:docker.tar:one:1", "oci-archive:oci.tar:one", "oci:copy:one"];
    for target in targets {
        let copy = Command::new("skopeo")
            .args([
                "--insecure-policy",
                "copy",
                "--quiet",
                "--override-arch=amd64",
                "--override-os=linux",
            ])
            .args(["oci:layout", target])
            .current_dir(&dir.0)
            .status();
        match copy {
            Ok(status) => assert!(status.success(), "{target}"),
            Err(_) => return report_skipped("skopeo"),
        }
    }
    let unpacked = (a.len() + b.len()) as f64;
    for image in ["docker.tar", "oci.tar", "copy"] {
        assert_eq!(
            dir.measure(&[image], "unpacked").unwrap().value.to_bits(),
            unpacked.to_bits(),
            "{image}"
        );
        assert_eq!(
            dir.measure(&[image], "layers").unwrap().value.to_bits(),
            2.0_f64.to_bits(),
            "{image}"
        );
        fs::metadata(dir.0.join(image)).unwrap();
    }
}
