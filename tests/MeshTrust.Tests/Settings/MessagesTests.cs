namespace MeshTrust.Tests.Settings;

/// <summary>The wording of the problems with arguments, variables and topology files, in messages.golden.txt.</summary>
[TestFixture]
public sealed class MessagesTests
{
    private const string Everything = TopologySamples.Head + "clusters: [{name: a, workers: 1}]\ntimeouts: {create: 6m}\n";

    [Test]
    public void Match_the_golden_file()
    {
        var refused = BrokenInput.All
            .Select(i => TopologySamples.Refuse(i.Arguments, i.Text, i.File, TopologySamples.Environment(i.Environment)))
            .Concat(ContextVariables().Select(value => TopologySamples.Refuse("", environment: new Dictionary<string, string>
            {
                ["CTX_CLUSTER1"] = "sound",
                ["CTX_CLUSTER2"] = value,
            })))
            .SelectMany(fault => fault.Problems);
        var warnings = new[]
        {
            TopologySamples.Bind("--provider=embedded --adopt", Everything),
            TopologySamples.Bind("", environment: TopologySamples.Environment("ROOTCA_KEYSIZE=4096;CTX_CLUSTER_1=a")),
            TopologySamples.Bind("", "[{\"clusterName\": \"a\"}, {\"clusterName\": \"vm\", \"kind\": \"Fake\"}]", "mesh.json"),
            TopologySamples.Bind("--istio-compat", "[{\"clusterName\": \"a\", \"cluster\": \"b\"}]", "mesh.json"),
        }.SelectMany(settings => settings.Warnings);
        Golden.Compare("tests/MeshTrust.Tests/Settings/messages.golden.txt", refused.Concat(warnings).Select(problem => problem.ToString()));
    }

    /// <summary>The values that <see cref="ContextVariableTests"/> checks.</summary>
    private static IEnumerable<string> ContextVariables() =>
        typeof(ContextVariableTests).GetMethod(nameof(ContextVariableTests.Is_rejected_with_its_cause_and_a_command))!
            .GetCustomAttributes(typeof(TestCaseAttribute), inherit: false).Cast<TestCaseAttribute>()
            .Select(test => (string)test.Arguments[0]!);
}
