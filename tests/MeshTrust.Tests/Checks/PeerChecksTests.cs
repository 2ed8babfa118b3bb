using MeshTrust.Checks;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class PeerChecksTests
{
    private static readonly TrustSnapshot Mesh = CraftedMesh.Sound("east", "west").Snapshot();

    [Test]
    public void Answers_from_every_side_pass()
    {
        var snapshot = With(Call(PeerPath.ApiServer), Call(PeerPath.Pod), Call(PeerPath.Service));

        Assert.That(MeshTrust.Checks.PeerChecks.Rows.SelectMany(check => check.Run(snapshot).Findings), Is.Empty);
    }

    [Test]
    public void An_API_server_that_is_not_reached_is_an_error_that_names_both_sides()
    {
        var finding = CraftedMesh.Row("MT3131").Run(With(Call(PeerPath.ApiServer, "curl: (6) Could not resolve host: west-control-plane"))).Findings.Single();

        using (Assert.EnterMultipleScope())
        {
            Assert.That((finding.Id, finding.Severity, finding.Cluster, finding.Peer), Is.EqualTo(("MT3131", Severity.Error, "east", "west")));
            Assert.That(finding.Message, Does.Contain("east-control-plane").And.Contain("https://west").And.Contain("Could not resolve host"));
        }
    }

    [TestCase(PeerPath.Pod, "pod")]
    [TestCase(PeerPath.Service, "Service")]
    public void A_call_without_a_response_is_an_error(PeerPath path, string word)
    {
        var finding = CraftedMesh.Row("MT3132").Run(With(Call(path, "no route to host"))).Findings.Single();

        using (Assert.EnterMultipleScope())
        {
            Assert.That((finding.Id, finding.Severity, finding.Cluster, finding.Peer), Is.EqualTo(("MT3132", Severity.Error, "east", "west")));
            Assert.That(finding.Message, Does.Contain(word).And.Contain("no route to host"));
        }
    }

    [Test]
    public void Each_checks_its_own_calls_and_is_not_applicable_without_them()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(CraftedMesh.Row("MT3131").Run(With(Call(PeerPath.Pod))).Outcome, Is.EqualTo(CheckOutcome.NotApplicable));
            Assert.That(CraftedMesh.Row("MT3132").Run(With(Call(PeerPath.ApiServer))).Outcome, Is.EqualTo(CheckOutcome.NotApplicable));
            Assert.That(CraftedMesh.Row("MT3132").Run(With(Call(PeerPath.Service))).Outcome, Is.EqualTo(CheckOutcome.Passed));
        }
    }

    [Test]
    public void A_report_has_them_only_if_calls_were_made()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(TrustInspection.Inspect(Mesh).Checks.Select(c => c.Id), Has.No.Member("MT3131").And.No.Member("MT3132"));
            Assert.That(
                TrustInspection.Inspect(With(Call(PeerPath.ApiServer, "refused"), Call(PeerPath.Pod))).Checks.Where(c => c.Id[2] == '3').Select(c => (c.Id, c.Outcome)),
                Is.EqualTo(new[] { ("MT3131", CheckOutcome.Failed), ("MT3132", CheckOutcome.Passed) }));
        }
    }

    private static TrustSnapshot With(params PeerReading[] peers) => Mesh with { Peers = peers };

    private static PeerReading Call(PeerPath path, string? fault = null) => new()
    {
        From = ClusterName.Parse("east"),
        To = ClusterName.Parse("west"),
        Path = path,
        Node = "east-control-plane",
        Target = path == PeerPath.ApiServer ? "https://west-control-plane:6443" : "10.20.0.3:8181",
        Fault = fault,
    };
}
