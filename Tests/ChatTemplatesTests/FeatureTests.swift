import ChatTemplates
import Testing

/// Some 800 small templates, one construct each, render as Jinja in transformers' environment
/// renders them; where Jinja fails, so does this.
struct FeatureTests {
    @Test func rendersAsJinja() throws {
        let fixture = try TemplateFixtures.object("features.json")
        guard case .object(let context)? = fixture["context"] else {
            throw FixtureError(message: "features.json has no context.")
        }
        let cases = fixture.array("cases")
        #expect(cases.count > 700)
        for value in cases {
            guard case .object(let given) = value, let source = given.text("template") else {
                throw FixtureError(message: "A case of features.json has no template.")
            }
            let outcome = TemplateFixtures.outcome(source, context)
            if let text = given.text("text") {
                #expect(outcome == .text(text), "\(source)")
            } else {
                #expect(outcome.isError, "\(source): Jinja fails with \(given.text("error") ?? "")")
            }
        }
    }
}
