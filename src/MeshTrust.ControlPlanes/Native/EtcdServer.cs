using System.Net.Sockets;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>The etcd of one control plane, and where it listens.</summary>
internal sealed record EtcdServer(PlaneProcess Process, string Address)
{
    private const int Attempts = 4;
    private const string Socket = "etcd.sock:0";

    // sun_path has 108 bytes on Linux and 104 on macOS, with a zero at the end.
    private const int LongestSocket = 103;

    /// <summary>Whether this etcd can skip fsync, which is useless for data that ends with its process.</summary>
    public static bool CanSkipSync(ControlPlaneBinaries binaries) =>
        KubernetesVersion.TryParse(binaries.EtcdVersion) is { } version && version >= new KubernetesVersion(3, 5, 0);

    /// <summary>etcd exits if its own variables contradict its command line.</summary>
    public static void RemoveVariables(IDictionary<string, string?> environment)
    {
        foreach (var name in environment.Keys.Where(name => name.StartsWith("ETCD_", StringComparison.OrdinalIgnoreCase)).ToList())
            environment.Remove(name);
    }

    /// <exception cref="MeshTrustException">MT2120 to MT2123.</exception>
    public static async Task<EtcdServer> StartAsync(PlanePlan plan, CancellationToken cancellationToken)
    {
        var asked = plan.Options.EtcdTransport;
        var socket = Path.Combine(plan.Directory, Socket);
        var fits = !OperatingSystem.IsWindows() && System.Text.Encoding.UTF8.GetByteCount(socket) <= LongestSocket;
        var unix = asked == EtcdTransport.Unix || (asked == EtcdTransport.Auto && fits);
        for (var attempt = 1; ; attempt++)
        {
            using var client = PortReservation.Take(hold: false, 0);
            using var peer = PortReservation.Take(hold: false, 0);
            var address = unix ? $"unix://{Socket}" : $"http://127.0.0.1:{client.Port}";
            var flags = Flags(plan, address, unix ? "unix://peer.sock:0" : $"http://127.0.0.1:{peer.Port}");
            var process = PlaneProcess.Start(plan, "etcd", plan.Binaries.Etcd, flags);
            try
            {
                using var probe = unix
                    ? OverSocket(socket)
                    : new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(address) };
                probe.Timeout = TimeSpan.FromSeconds(5);
                Task<bool> IsReadyAsync(CancellationToken token) => AdministratorClient.AnswersAsync(probe, "health", token);
                if (await process.WaitUntilReadyAsync(IsReadyAsync, cancellationToken).ConfigureAwait(false))
                    return new EtcdServer(process, address);
                var code = await process.Exited.ConfigureAwait(false);
                if (process.FoundPortTaken)
                {
                    if (attempt >= Attempts) throw process.NoPort(attempt);
                }
                else if (unix && asked == EtcdTransport.Auto)
                {
                    // A version without socket support exits at once; TCP may work.
                    unix = false;
                }
                else
                {
                    throw process.ExitedEarly(code);
                }
            }
            catch
            {
                await process.KillAsync().ConfigureAwait(false);
                throw;
            }
        }
    }

    private static IReadOnlyList<string> Flags(PlanePlan plan, string client, string peer)
    {
        List<string> flags =
        [
            "--name=default",
            $"--data-dir={plan.DataDirectory}",
            $"--listen-client-urls={client}",
            $"--advertise-client-urls={client}",
            $"--listen-peer-urls={peer}",
            "--initial-advertise-peer-urls=http://localhost:2380",
            "--initial-cluster=default=http://localhost:2380",
            "--logger=zap",
            "--log-level=warn",
        ];
        // Persistent data is synced: it must survive a power failure, too.
        if (plan.State is null && CanSkipSync(plan.Binaries)) flags.Add("--unsafe-no-fsync=true");
        return PlanePlan.Merge(flags, plan.Options.ExtraEtcdFlags);
    }

    private static HttpClient OverSocket(string path) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    }) { BaseAddress = new Uri("http://localhost") };
}
