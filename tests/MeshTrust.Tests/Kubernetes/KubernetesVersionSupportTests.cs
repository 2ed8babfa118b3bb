using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

public sealed class KubernetesVersionSupportTests
{
    [TestCase("v1.32.0", null)]
    [TestCase("v1.31.0", "MT3020")]
    [TestCase("v1.34.3-gke.1000", null)]
    [TestCase("1.37+", null)]
    [TestCase("v1.30.9", "MT3020")]
    [TestCase("v1.20.2", "MT3020")]
    [TestCase("v1.38.0-alpha.1", "MT3021")]
    [TestCase("v2.0.0", "MT3021")]
    [TestCase("latest", "MT3022")]
    [TestCase("", "MT3022")]
    public void Warns_only_if_no_Istio_release_supports_the_version(string version, string? id)
    {
        var problem = KubernetesVersionSupport.Judge("east", version, new DateTimeOffset(2026, 11, 30, 0, 0, 0, TimeSpan.Zero));
        Assert.That(problem?.Id, Is.EqualTo(id));
        Assert.That(problem?.Severity ?? Severity.Warning, Is.EqualTo(Severity.Warning));
    }

    /// <summary>Istio 1.29, the only one that lists 1.31, reached its end of life on 2026-08-31.</summary>
    [TestCase("2026-08-31T23:59:59Z", true)]
    [TestCase("2026-09-01T00:00:00Z", false)]
    public void Counts_an_Istio_release_until_its_end_of_life(string now, bool counts)
    {
        var problem = KubernetesVersionSupport.Judge("east", "v1.31.0", DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture));
        Assert.That(problem is null, Is.EqualTo(counts));
        Assert.That(problem?.Message ?? "", Does.Not.Contain("1.29"));
    }
}
