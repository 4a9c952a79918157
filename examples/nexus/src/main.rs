//! `nexus ADDRESS`: serves the search of 10 000 generated embeddings.

use std::error::Error;
use std::io::Write;

use nexus::embedding::Embeddings;
use nexus::route::Service;
use nexus::search::Index;
use nexus::{runtime, server};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let Embeddings { vectors, queries } = Embeddings::generated(10_000);
    let runtime = runtime::tuned()?;
    let service = Service::start(Index::new(vectors), queries, runtime.handle());
    runtime.block_on(async {
        let listener = TcpListener::bind(&address).await?;
        writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
        Ok(server::serve(listener, service).await?)
    })
}
