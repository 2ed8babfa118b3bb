using MeshTrust.Checks;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Verification;

/// <summary>
/// The file sets tested with istiod and its peers: MeshTrust must report an error if istiod accepts and a peer rejects, and pass what works.
/// (The table has no rows 45 and 46; 50 and 51 are its 'extra' row, either way.)
/// </summary>
[Parallelizable(ParallelScope.All)]
internal sealed class IstioAcceptanceTests
{
    private static IEnumerable<IstioAcceptanceCase> Rows() => IstioAcceptanceCase.All();

    [TestCaseSource(nameof(Rows))]
    public void Reports_an_error_if_istiod_or_a_peer_would_fail_and_passes_the_rest(IstioAcceptanceCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var mesh = new CraftedMesh { Trust = TrustSpec.Default with { TrustDomain = row.TrustDomain } }.Add("east", row.Files());
        var report = TrustInspection.Inspect(mesh.Snapshot());
        var reported = string.Join('\n', report.Findings);
        using (Assert.EnterMultipleScope())
        {
            if (row is { Istiod: Istiod.Accept, Peer: Peer.Fail } or { Istiod: Istiod.Reject }) Assert.That(row.Ours, Is.EqualTo(Ours.Error), "the row's own expectation");
            Assert.That(report.Errors > 0, Is.EqualTo(row.Ours == Ours.Error), reported);
            foreach (var id in row.Ids) Assert.That(report.Findings.Select(f => f.Id), Has.Member(id), reported);
            // A check that fails internally would also be an error, for the wrong reason.
            Assert.That(reported, Does.Not.Contain("internal "));
        }
    }
}
