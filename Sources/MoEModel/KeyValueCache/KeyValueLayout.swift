import Tensors

/// Where in a page each layer's and head's keys and values lie: layer by layer, in a layer head by
/// head, each a tile.
struct KeyValueLayout: Sendable, Equatable {
    let layers: Int
    /// Key-value heads of a layer; latent attention has one.
    let heads: Int
    let tile: KeyValueTile

    init(_ configuration: ModelConfiguration, _ precision: KeyValuePrecision) {
        layers = configuration.layers
        switch configuration.attention {
        case .groupedQuery(let attention):
            heads = attention.keyValueHeads
            tile = KeyValueTile(
                keySize: attention.headSize, valueSize: attention.headSize, valuesAreKeys: false,
                precision: precision)
        case .latent(let attention):
            // A key is the compressed vector and the shared rotated key; the value is the former.
            heads = 1
            tile = KeyValueTile(
                keySize: attention.rank + attention.rotarySize, valueSize: attention.rank,
                valuesAreKeys: true, precision: precision)
        }
    }

    /// Size of a page in bytes.
    var pageBytes: Int { layers * heads * tile.byteCount }

    /// Where the tile of a layer's head starts in a page, in bytes.
    func offset(layer: Int, head: Int) -> Int {
        precondition(0..<layers ~= layer && 0..<heads ~= head, "the page holds the tile")
        return (layer * heads + head) * tile.byteCount
    }
}
