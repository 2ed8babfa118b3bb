using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>The kube-apiserver of one control plane, and where it listens.</summary>
internal sealed record KubeApiServer(PlaneProcess Process, Uri Server)
{
    private const int Attempts = 4;

    /// <exception cref="MeshTrustException">MT2120 to MT2123.</exception>
    public static async Task<KubeApiServer> StartAsync(PlanePlan plan, EtcdServer etcd, CancellationToken cancellationToken)
    {
        // The flag came with 1.20.
        var shares = !OperatingSystem.IsWindows()
            && KubernetesVersion.TryParse(plan.Binaries.Version) is { } version && version >= new KubernetesVersion(1, 20, 0);
        for (var attempt = 1; ; attempt++)
        {
            using var port = PortReservation.Take(shares, attempt == 1 ? plan.PreferredPort : 0);
            var server = new Uri($"https://127.0.0.1:{port.Port}/");
            var process = PlaneProcess.Start(plan, "kube-apiserver", plan.Binaries.ApiServer, Flags(plan, etcd, port.Port, shares));
            try
            {
                using var client = AdministratorClient.Create(plan.Identity.Server, server, TimeSpan.FromSeconds(5));
                if (await process.WaitUntilReadyAsync(token => IsReadyAsync(client, token), cancellationToken).ConfigureAwait(false))
                    return new KubeApiServer(process, server);
                var code = await process.Exited.ConfigureAwait(false);
                if (!process.FoundPortTaken) throw process.ExitedEarly(code);
                if (attempt >= Attempts) throw process.NoPort(attempt);
            }
            catch
            {
                await process.KillAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, CancellationToken cancellationToken) =>
        await AdministratorClient.AnswersAsync(client, "readyz", cancellationToken).ConfigureAwait(false)
        // The server creates the namespace itself, a moment after it is ready.
        && await AdministratorClient.AnswersAsync(client, "api/v1/namespaces/default", cancellationToken).ConfigureAwait(false);

    private static IReadOnlyList<string> Flags(PlanePlan plan, EtcdServer etcd, int port, bool shares)
    {
        List<string> flags =
        [
            // Without it the server does not start on a machine without a default route.
            "--advertise-address=127.0.0.1",
            "--allow-privileged=true",
            "--authorization-mode=RBAC",
            "--bind-address=127.0.0.1",
            $"--cert-dir={plan.Directory}",
            "--client-ca-file=ca.crt",
            // No controller creates the account that it requires.
            "--disable-admission-plugins=ServiceAccount",
            $"--etcd-servers={etcd.Address}",
            $"--secure-port={port}",
            $"--service-account-issuer=https://127.0.0.1:{port}/",
            "--service-account-key-file=sa.pub",
            "--service-account-signing-key-file=sa.key",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
        ];
        if (shares) flags.Add("--permit-port-sharing=true");
        return PlanePlan.Merge(flags, plan.Options.ExtraApiServerFlags);
    }
}
