using MeshTrust.Checks;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Verification;

/// <summary>
/// The file sets that istiod and its peers were fed: whatever istiod accepts and a peer refuses must be an error of ours, and what is fine must pass.
/// (The table has no rows 45 and 46; 50 and 51 are its 'extra' row, either way.)
/// </summary>
[Parallelizable(ParallelScope.All)]
internal sealed class IstioAcceptanceTests
{
    private static IEnumerable<IstioAcceptanceCase> Rows() => IstioAcceptanceCase.All();

    [TestCaseSource(nameof(Rows))]
    public void Says_error_wherever_istiod_or_a_peer_would_fail_and_passes_the_rest(IstioAcceptanceCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var mesh = new CraftedMesh { Trust = TrustSpec.Default with { TrustDomain = row.TrustDomain } }.Add("east", row.Files());
        var report = TrustInspection.Inspect(mesh.Snapshot());
        var told = string.Join('\n', report.Findings);
        using (Assert.EnterMultipleScope())
        {
            if (row is { Istiod: Istiod.Accept, Peer: Peer.Fail } or { Istiod: Istiod.Reject }) Assert.That(row.Ours, Is.EqualTo(Ours.Error), "the row's own expectation");
            Assert.That(report.Errors > 0, Is.EqualTo(row.Ours == Ours.Error), told);
            foreach (var id in row.Ids) Assert.That(report.Findings.Select(f => f.Id), Has.Member(id), told);
            // A broken check would be an error too, for the wrong reason.
            Assert.That(told, Does.Not.Contain("internal "));
        }
    }
}
