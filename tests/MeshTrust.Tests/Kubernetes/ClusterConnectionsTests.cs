using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

public sealed class ClusterConnectionsTests
{
    private static readonly ClusterApiSettings Hasty = ClusterApiSettings.Default with { FirstBackoff = TimeSpan.FromMilliseconds(1) };

    [Test]
    public async Task Shares_one_connection_between_tasks_whatever_happens_to_the_kubeconfig()
    {
        await using var server = new ScriptedApiServer(_ => new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}"""));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var connections = new ClusterConnections(Hasty);
        foreach (var stage in (Stage[])[Stage.Contexts, Stage.Push, Stage.Verification])
        {
            using var api = connections.Open(kubeconfig.Access, stage);
            Assert.That(await api.GetVersionAsync(CancellationToken.None), Is.EqualTo("v1.34.0"));
            File.Delete(kubeconfig.Access.KubeconfigPath);
        }

        Assert.That((server.Connections, server.Requests.Count), Is.EqualTo((1, 3)));
    }

    [Test]
    public async Task An_error_has_the_stage_of_the_task_that_failed()
    {
        await using var server = new ScriptedApiServer(_ => ScriptedAnswer.Refuse(403, "Forbidden", "no"));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var connections = new ClusterConnections(Hasty);
        foreach (var stage in (Stage[])[Stage.Contexts, Stage.Push])
        {
            using var api = connections.Open(kubeconfig.Access, stage);
            var fault = await Assert.ThrowsAsync<MeshTrustException>(() => api.ReadSecretAsync("istio-system", "cacerts", CancellationToken.None));
            Assert.That((fault!.Stage, fault.Problems[0].Id), Is.EqualTo((stage, "MT3007")));
        }
    }

    [Test]
    public async Task Reads_a_token_file_again_when_the_server_no_longer_accepts_the_token([Values] bool isRenewed)
    {
        var accepted = "first";
        using var authority = KubernetesClusterApiTests.Authority("ca");
        using var certificate = KubernetesClusterApiTests.Leaf(authority, "127.0.0.1", expired: false);
        await using var server = new ScriptedApiServer(
            r => r.Headers["Authorization"] == $"Bearer {accepted}"
                ? new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}""")
                : ScriptedAnswer.Refuse(401, "Unauthorized", "Unauthorized"),
            certificate);
        using var kubeconfig = new TemporaryKubeconfig(server.Server, "insecure-skip-tls-verify: true", "tokenFile: token");
        var token = Path.Combine(Path.GetDirectoryName(kubeconfig.Access.KubeconfigPath)!, "token");
        await File.WriteAllTextAsync(token, "first\n");
        using var connections = new ClusterConnections(Hasty);
        using var api = connections.Open(kubeconfig.Access, Stage.Contexts);
        await api.GetVersionAsync(CancellationToken.None);

        accepted = "second";
        if (isRenewed) await File.WriteAllTextAsync(token, "second\n");
        if (isRenewed) Assert.That(await api.GetVersionAsync(CancellationToken.None), Is.EqualTo("v1.34.0"));
        else
        {
            var fault = await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None));
            Assert.That(fault!.Problems[0].Id, Is.EqualTo("MT3006"));
        }

        Assert.That(server.Requests, Has.Count.EqualTo(3), "one try with the old token, one with what the file holds now");
    }
}
