using System.Text.RegularExpressions;

namespace MeshTrust.Tests.Live;

/// <summary>Broken inputs through the whole host: a message with an id, an exit code from 2 to 9, no stack trace, no key, and no user file changed.</summary>
[TestFixture, NonParallelizable]
public sealed partial class BrokenInputTests
{
    private const int OnceEvery = 15;

    private static IEnumerable<BrokenRun> All => [.. BrokenArguments.All, .. BrokenKubeconfigs.All, .. BrokenTrustStores.All];

    [TestCaseSource(nameof(All))]
    public void Is_rejected_and_changes_nothing(object run) => Refuse((BrokenRun)run, HostInProcess.Run);

    [TestCaseSource(nameof(Sample))]
    public void Is_also_rejected_by_a_separate_process(object run) => Refuse((BrokenRun)run, HostProcess.Run);

    private static IEnumerable<BrokenRun> Sample => All.Where((_, i) => i % OnceEvery == 0);

    private static void Refuse(BrokenRun run, Func<string, IEnumerable<string>, IReadOnlyDictionary<string, string?>?, (int ExitCode, string Output)> host)
    {
        using var scratch = new ScratchDirectory();
        run.Files(scratch);
        var before = Content(scratch);
        var environment = run.Environment.ToDictionary(v => v.Key, v => v.Value?.Replace("{dir}", scratch.Location, StringComparison.Ordinal));

        var (code, output) = host(scratch.Location, run.Arguments, environment);

        var after = Content(scratch);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.EqualTo(run.ExitCode), output);
            Assert.That(Id().Matches(output).Select(m => m.Value).Intersect(run.Ids), Is.Not.Empty, $"one of {string.Join(", ", run.Ids)} is expected:\n{output}");
            Assert.That(output, Does.Not.Contain("   at ").And.Not.Contain("Exception").And.Not.Contain("Unhandled"));
            foreach (var secret in SecretText.In(scratch.Location)) Assert.That(output, Does.Not.Contain(secret));
            Assert.That(output, Does.Not.Contain(BrokenKubeconfigs.Token));
            foreach (var (file, content) in before) Assert.That(after.GetValueOrDefault(file), Is.EqualTo(content), $"{file} is the user's");
            if (run.ExitCode == 2) Assert.That(after.Keys, Is.EquivalentTo(before.Keys), "a run that never began leaves nothing");
        }
    }

    private static Dictionary<string, string> Content(ScratchDirectory scratch) =>
        Directory.EnumerateFiles(scratch.Location, "*", SearchOption.AllDirectories)
            .Where(SecretText.IsReadable)
            .ToDictionary(file => file, file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))));

    [GeneratedRegex("MT[0-9]{4}")]
    private static partial Regex Id();
}
