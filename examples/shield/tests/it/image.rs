//! The archives are images to others too, and what is in them runs.

use std::process::Command;

use crate::{made, run, succeeds};

#[test]
fn another_program_reads_the_images() {
    made::all();
    for ending in [".image.tar", ".python.image.tar"] {
        let name = format!("oci-archive:{}", made::beside(ending).display());
        let Some(output) = run(Command::new("skopeo").args(["inspect", &name])) else { return };
        assert!(succeeds(&output).contains("\"Layers\": ["));
    }
}
