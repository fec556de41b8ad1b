import ChatTemplates
import Testing

/// Published templates render conversations, or refuse them, as transformers does: every text and
/// every error message is equal.
struct PublishedTemplateTests {
    @Test func fixturesAreThere() { #expect(TemplateFixtures.names.count >= 10) }

    @Test(arguments: TemplateFixtures.names)
    func rendersAsTransformers(name: String) throws {
        let source = try TemplateFixtures.source(name)
        let fixture = try TemplateFixtures.object(name + ".expected.json")
        #expect(fixture.text("now") == "2026-01-15T09:30:00")
        let cases = fixture.array("cases")
        #expect(cases.count >= 12)
        for (index, value) in cases.enumerated() {
            guard case .object(let given) = value else {
                Issue.record("\(name), case \(index) is not an object.")
                continue
            }
            var context = TemplateObject()
            for (key, value) in zip(given.keys, given.values) where key != "text" && key != "error"
            {
                context[key] = value
            }
            context["bos_token"] = fixture["bos_token"]
            context["eos_token"] = fixture["eos_token"]
            let expected =
                given.text("text").map(Outcome.text) ?? .error(given.text("error") ?? "missing")
            let outcome = TemplateFixtures.outcome(source, context, name: name)
            #expect(outcome == expected, "\(name), case \(index)")
        }
    }
}
