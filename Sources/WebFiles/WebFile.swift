/// A static file that the server shows. The files in `Resources` are what is edited; SwiftPM
/// compiles their bytes into the program.
package struct WebFile: Sendable {
    /// Where the server shows it.
    package let path: String
    /// Its media type.
    package let type: String
    package let bytes: [UInt8]

    /// The dashboard's page, its style and its program.
    package static let dashboard = [
        WebFile(path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.index_html),
        WebFile(
            path: "/dashboard/style.css", type: "text/css; charset=utf-8",
            bytes: PackageResources.style_css),
        WebFile(
            path: "/dashboard/app.js", type: "text/javascript; charset=utf-8",
            bytes: PackageResources.app_js),
    ]

    /// OpenAPI 3.1, in which `"$lastToken"` and `"$positions"` stand for the model's numbers.
    package static let openAPI = WebFile(
        path: "/openapi.json", type: "application/json", bytes: PackageResources.openapi_json)
}
