using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

public sealed class KubernetesVersionSupportTests
{
    [TestCase("v1.31.0", null)]
    [TestCase("v1.34.3-gke.1000", null)]
    [TestCase("1.37+", null)]
    [TestCase("v1.30.9", "MT3020")]
    [TestCase("v1.20.2", "MT3020")]
    [TestCase("v1.38.0-alpha.1", "MT3021")]
    [TestCase("v2.0.0", "MT3021")]
    [TestCase("latest", "MT3022")]
    [TestCase("", "MT3022")]
    public void Warns_only_where_istio_lists_nothing(string version, string? id)
    {
        var problem = KubernetesVersionSupport.Judge("east", version);
        Assert.That(problem?.Id, Is.EqualTo(id));
        Assert.That(problem?.Severity ?? Severity.Warning, Is.EqualTo(Severity.Warning));
    }
}
