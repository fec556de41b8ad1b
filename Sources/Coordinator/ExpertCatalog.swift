import Crypto
package import MoEModel
package import SystemModel
import Tensors
package import Wire

/// The experts as they are shipped: each a blob of its matrices, named by its SHA-256.
///
/// Bytes stay in the model's file; a digest is computed when the expert is first assigned, and
/// kept. Not for concurrent use: it belongs to one thread.
package final class ExpertCatalog {
    private let layers: [[ExpertWeights]]
    /// What devices must know of the model.
    package let facts: ModelFacts
    private var manifests: [ExpertID: ExpertManifest] = [:]
    private var owners: [BlobDigest: ExpertID] = [:]

    package init(layers: [[ExpertWeights]], facts: ModelFacts) {
        self.layers = layers
        self.facts = facts
    }

    /// How the expert is shipped.
    ///
    /// - Complexity: reads and hashes the expert's bytes, the first time.
    package func manifest(of id: ExpertID) -> ExpertManifest {
        if let known = manifests[id] { return known }
        var hash = SHA256()
        var tensors: [TensorManifest] = []
        var offset = 0
        for (name, matrix) in parts(of: id) {
            matrix.bytes.forEachPieceInBackground { hash.update(bufferPointer: $0) }
            tensors.append(
                TensorManifest(
                    name: name, format: matrix.format.name, rows: matrix.rows,
                    columns: matrix.columns, byteOffset: offset, byteCount: matrix.bytes.count))
            offset += matrix.bytes.count
        }
        let digest = BlobDigest(bytes: Array(hash.finalize()))
        let manifest = ExpertManifest(id: id, sha256: digest, byteCount: offset, tensors: tensors)
        manifests[id] = manifest
        owners[digest] = id
        return manifest
    }

    /// The part of a blob that was asked for, with its own hash.
    ///
    /// - Throws: `invalid` for a blob that was never assigned or bytes outside it.
    package func chunk(_ fetch: Fetch) throws(WireError) -> Chunk {
        guard let id = owners[fetch.digest], let manifest = manifests[id] else {
            throw WireError(.invalid, "fetch: blob \(fetch.digest) was never assigned")
        }
        guard fetch.offset + fetch.byteCount <= manifest.byteCount else {
            throw WireError(
                .invalid,
                "fetch: bytes \(fetch.offset)+\(fetch.byteCount) are outside a blob of "
                    + "\(manifest.byteCount)")
        }
        let wanted = fetch.offset..<fetch.offset + fetch.byteCount
        var bytes: [UInt8] = []
        bytes.reserveCapacity(wanted.count)
        for (part, tensor) in zip(parts(of: id), manifest.tensors) {
            let own = tensor.byteOffset..<tensor.byteOffset + tensor.byteCount
            let shared = own.clamped(to: wanted)
            guard !shared.isEmpty else { continue }
            bytes += part.matrix.bytes.copyBytes(
                shared.lowerBound - own.lowerBound..<shared.upperBound - own.lowerBound)
        }
        return Chunk(
            digest: fetch.digest, offset: fetch.offset,
            chunkDigest: BlobDigest(bytes: Array(SHA256.hash(data: bytes))), bytes: bytes)
    }

    /// The chunk that was asked for, or why there is none.
    func answer(_ fetch: Fetch) -> Frame? {
        do {
            return try chunk(fetch).frame()
        } catch {
            return try? Failure(requestID: nil, message: "\(error)").frame()
        }
    }

    private func parts(of id: ExpertID) -> [(name: String, matrix: QuantizedMatrix)] {
        layers[id.layer][id.expert].namedTensors
    }
}
