using System.Text.RegularExpressions;
using MeshTrust.Checks;
using MeshTrust.Tests.Architecture;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Checks;

/// <summary>The tables of checks match the documents that explain them.</summary>
[TestFixture]
internal sealed class CheckTableTests
{
    private static IReadOnlyList<Check<TrustSnapshot>> Trust =>
        [.. TrustInspection.Checks(TrustProof.Prove), .. MeshTrust.Checks.PeerChecks.Rows, .. RemoteSecretChecks.Rows, .. LiveChecks.Rows(TrustProof.Prove(new CraftedMesh().Snapshot()))];

    [Test]
    public void Every_check_of_trust_has_its_section_with_its_title_and_source()
    {
        var sections = Regex.Split(Read("docs/checks.md"), "(?m)^## ").Where(s => s.StartsWith("MT", StringComparison.Ordinal)).ToList();

        Assert.That(sections.Select(s => s.Split('\n')[0]), Is.EquivalentTo(Trust.Select(c => $"{c.Id}: {c.Title}")));
        foreach (var check in Trust)
        {
            var section = sections.Single(s => s.StartsWith(check.Id, StringComparison.Ordinal));
            Assert.That(section, Does.Contain($"| source | {check.Source} |"));
        }
    }

    [Test]
    public void Every_check_of_the_machine_has_its_row()
    {
        var rows = Regex.Matches(Read("docs/preflight.md"), @"(?m)^\| (MT\d{4}[^|]*) \|").Select(m => m.Groups[1].Value).ToList();

        Assert.That(rows, Has.Count.EqualTo(PreflightReport.Checks.Count));
        Assert.That(PreflightReport.Checks.Select(c => c.Id).Where(id => !rows.Exists(row => Names(row, id))), Is.Empty);
    }

    /// <summary>Whether the first column of a row names an id, such as <c>MT2420, MT2401 to MT2404</c>.</summary>
    private static bool Names(string column, string id) =>
        column.Split(", ").Select(part => part.Split(" to ")).Any(range =>
            string.CompareOrdinal(range[0], id) <= 0 && string.CompareOrdinal(id, range[^1]) <= 0);

    [Test]
    public void Ids_are_unique() => Assert.That(Trust.Select(c => c.Id), Is.Unique);

    [Test]
    public void An_exception_in_a_check_is_an_error_and_never_a_pass()
    {
        var report = new Check<int>("MT0000", "a rule", "a source") { Inspect = _ => throw new InvalidOperationException("secret") }.Run(0);

        Assert.That((report.Outcome, report.Findings.Single().Id), Is.EqualTo((CheckOutcome.Failed, "MT0000")));
        Assert.That(report.Findings.Single().ToString(), Does.Contain("InvalidOperationException").And.Not.Contain("secret"));
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(SourceTree.Root, file)).ReplaceLineEndings("\n");
}
