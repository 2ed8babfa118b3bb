using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MeshTrust.Benchmarks.Processes;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Benchmarks.Planes;

/// <summary>
/// The same programs with the same flags alone: certificates issued before the measurement, no guard, no logs, no records, no
/// kubeconfigs. The time until they respond is that of the programs.
/// </summary>
internal static class BareControlPlanes
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    public static IReadOnlyList<string> Names(int count) => [.. Enumerable.Range(1, count).Select(i => $"plane{i}")];

    /// <summary>Starts them in parallel and ends them.</summary>
    /// <returns>The time from the first start until all are ready.</returns>
    /// <exception cref="ChildFailedException">One exited, or was not ready in time.</exception>
    public static async Task<TimeSpan> StartAsync(ControlPlaneBinaries binaries, int count, CancellationToken cancellationToken)
    {
        var root = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"mt-bare-{Environment.ProcessId}")).FullName;
        var processes = new List<Process>();
        try
        {
            var planes = Names(count).Select(name => (Directory: Directory.CreateDirectory(Path.Combine(root, name)).FullName, Identity: PlaneIdentity.Create(name, TimeProvider.System.GetUtcNow()))).ToList();
            foreach (var plane in planes) plane.Identity.Write(plane.Directory);
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(planes.Select(plane => Task.Run(() => StartAsync(binaries, plane.Directory, plane.Identity, processes, cancellationToken), cancellationToken))).ConfigureAwait(false);
            return clock.Elapsed;
        }
        finally
        {
            foreach (var process in processes)
            {
                process.Kill();
                process.WaitForExit();
                process.Dispose();
            }

            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task StartAsync(ControlPlaneBinaries binaries, string directory, PlaneIdentity identity, List<Process> processes, CancellationToken cancellationToken)
    {
        var etcd = Start(binaries.Etcd, directory, processes,
            "--name=default", "--data-dir=etcd", "--listen-client-urls=unix://etcd.sock:0", "--advertise-client-urls=unix://etcd.sock:0", "--listen-peer-urls=unix://peer.sock:0",
            "--initial-advertise-peer-urls=http://localhost:2380", "--initial-cluster=default=http://localhost:2380", "--logger=zap", "--log-level=warn");
        using var health = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(directory, "etcd.sock:0")), token).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            },
        }) { BaseAddress = new Uri("http://localhost") };
        await UntilAsync(etcd, () => AdministratorClient.AnswersAsync(health, "health", cancellationToken), cancellationToken).ConfigureAwait(false);

        var port = FreePort();
        var server = Start(binaries.ApiServer, directory, processes,
            "--advertise-address=127.0.0.1", "--allow-privileged=true", "--authorization-mode=RBAC", "--bind-address=127.0.0.1", $"--cert-dir={directory}", "--client-ca-file=ca.crt",
            "--disable-admission-plugins=ServiceAccount", "--etcd-servers=unix://etcd.sock:0", $"--secure-port={port}", $"--service-account-issuer=https://127.0.0.1:{port}/",
            "--service-account-key-file=sa.pub", "--service-account-signing-key-file=sa.key", "--service-cluster-ip-range=10.0.0.0/24", "--tls-cert-file=server.crt", "--tls-private-key-file=server.key");
        using var admin = AdministratorClient.Create(identity.Server, new Uri($"https://127.0.0.1:{port}/"), TimeSpan.FromSeconds(5));
        await UntilAsync(server, () => AdministratorClient.AnswersAsync(admin, "readyz", cancellationToken), cancellationToken).ConfigureAwait(false);
        await UntilAsync(server, () => AdministratorClient.AnswersAsync(admin, "api/v1/namespaces/default", cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private static Process Start(string program, string directory, List<Process> processes, params string[] arguments)
    {
        // The shell discards the output and replaces itself with the program.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" >/dev/null 2>&1", program, .. arguments]) { WorkingDirectory = directory };
        var process = Process.Start(start)!;
        lock (processes) processes.Add(process);
        return process;
    }

    private static async Task UntilAsync(Process process, Func<Task<bool>> isReady, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        while (!await isReady().ConfigureAwait(false))
        {
            if (process.HasExited) throw new ChildFailedException($"A control plane's process ended with exit code {process.ExitCode}.");
            if (clock.Elapsed > Deadline) throw new ChildFailedException($"A control plane's process was not ready after {Deadline.TotalMinutes:0} minutes.");
            await Task.Delay(10, cancellationToken).ConfigureAwait(false);
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
