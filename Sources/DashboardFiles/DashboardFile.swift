/// A static file of the dashboard. The files in `Resources` are what is edited; SwiftPM compiles
/// their bytes into the program.
package struct DashboardFile: Sendable {
    /// Where the server shows it.
    package let path: String
    /// Its media type.
    package let type: String
    package let bytes: [UInt8]

    /// The page, its style and its program.
    package static let all = [
        DashboardFile(
            path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.index_html),
        DashboardFile(
            path: "/dashboard/style.css", type: "text/css; charset=utf-8",
            bytes: PackageResources.style_css),
        DashboardFile(
            path: "/dashboard/app.js", type: "text/javascript; charset=utf-8",
            bytes: PackageResources.app_js),
    ]
}
