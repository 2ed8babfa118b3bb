using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Calls each kind cluster from the nodes of the others, as an istiod there would: the API server by name and TLS, and if clusters have
/// routes between them, a Service and a pod by their own addresses.
/// </summary>
internal sealed class PeerProbe(IContainerEngine engine, Func<ClusterAccess, IClusterApi> connect, TimeProvider time)
{
    private const int AtOnce = 8;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    // A packet to a Service that kube-proxy does not know yet is lost: a retry succeeds sooner than a longer wait.
    private static readonly TimeSpan Connection = TimeSpan.FromSeconds(1);
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How long a call is retried: in a cluster that has just become ready, kube-proxy may not know its Services yet.
    /// </summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The remote secrets, whose servers are called from the clusters that hold them.</summary>
    public IReadOnlyList<RemoteAccess> Remotes { get; init; } = [];

    public async Task<IReadOnlyList<PeerReading>> ReadAsync(MeshTopology topology, IReadOnlyList<ClusterAccess> access,
        EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (topology.Clusters.Count < 2) return [];
        var start = time.GetTimestamp();
        var targets = await Task.WhenAll(topology.Clusters.Zip(access,
            (cluster, way) => TargetAsync(cluster, way, snapshot, cancellationToken))).ConfigureAwait(false);
        var calls = (from target in targets
                     from peer in topology.Clusters
                     where peer.Name != target.Cluster.Name
                     from call in Calls(topology, snapshot, peer, target)
                     select call).Concat(RemoteCalls(topology, snapshot)).ToList();
        var readings = new PeerReading[calls.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, calls.Count, options, async (i, ct) => readings[i] =
            await CallAsync(calls[i], start, topology.Kind.Timeouts.Verify, ct).ConfigureAwait(false)).ConfigureAwait(false);
        return readings;
    }

    private IEnumerable<PeerCall> Calls(MeshTopology topology, EngineSnapshot snapshot, ClusterSpec peer, PeerTarget target)
    {
        var nodes = snapshot.NodesOf(peer.Name.Value).Where(node => node.KindRole is "control-plane" or "worker").ToList();
        if (nodes.Count == 0) yield break;
        yield return new(peer.Name, nodes[0].Name, PeerPath.ApiServer, target, $"https://{target.Host}:6443",
            Curl($"https://{target.Host}:6443/version"));
        if (!RoutePlan.Connects(topology.Kind.Routes, peer, target.Cluster)) yield break;
        foreach (var node in nodes)
        {
            foreach (var service in target.Services)
                yield return new(peer.Name, node.Name, PeerPath.Service, target, $"https://{Text(service)}",
                    Curl($"https://{Text(service)}/version"));
            foreach (var pod in target.Pods)
                yield return new(peer.Name, node.Name, PeerPath.Pod, target, pod.ToString(), Connect(pod));
        }
    }

    /// <summary>Only those that istiod would make: an address of the machine itself or a wrong CA is reported without a call.</summary>
    private IEnumerable<PeerCall> RemoteCalls(MeshTopology topology, EngineSnapshot snapshot) =>
        from access in Remotes
        from secret in access.Secrets
        where secret is { Server: not null, Authority: not null, TlsServerName: null, Answer.Verdict: not RemoteVerdict.Untrusted }
            && secret.To != access.Cluster && !RemoteServer.IsOnlyLocal(secret.Server)
        let node = snapshot.NodesOf(access.Cluster.Value).FirstOrDefault(n => n.KindRole is "control-plane" or "worker")
        let cluster = topology.Clusters.FirstOrDefault(c => c.Name == secret.To)
        where node is not null && cluster is not null
        let server = secret.Server!.AbsoluteUri.TrimEnd('/')
        let target = new PeerTarget { Cluster = cluster, Host = secret.Server!.Host, Authority = secret.Authority }
        select new PeerCall(access.Cluster, node.Name, PeerPath.RemoteSecret, target, server, Curl($"{server}/version"));

    private async Task<PeerReading> CallAsync(PeerCall call, long start, TimeSpan limit, CancellationToken cancellationToken)
    {
        var fault = call.To.Fault ?? (time.GetElapsedTime(start) < limit ? null : "not called: the time limit (timeouts.verify) was over");
        if (fault is null)
        {
            fault = await TryAsync(call, cancellationToken).ConfigureAwait(false);
            while (fault is not null && time.GetElapsedTime(start) < (Settling < limit ? Settling : limit))
            {
                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
                fault = await TryAsync(call, cancellationToken).ConfigureAwait(false);
            }
        }

        return new PeerReading { From = call.From, To = call.To.Cluster.Name, Path = call.Path, Node = call.Node, Target = call.Target,
            Fault = fault };
    }

    private async Task<string?> TryAsync(PeerCall call, CancellationToken cancellationToken)
    {
        try
        {
            var result = await engine.ExecuteAsync(call.Node, call.Command, call.Path == PeerPath.Pod ? null : call.To.Authority,
                cancellationToken).ConfigureAwait(false);
            return result.ExitCode == 0 ? null : Reason(result);
        }
        catch (MeshTrustException e)
        {
            return e.Problems[0].Message.TrimEnd('.');
        }
    }

    private async Task<PeerTarget> TargetAsync(ClusterSpec cluster, ClusterAccess access, EngineSnapshot snapshot,
        CancellationToken cancellationToken)
    {
        var nodes = snapshot.NodesOf(cluster.Name.Value);
        var balancer = nodes.FirstOrDefault(node => node.IsKindLoadBalancer);
        if (nodes.FirstOrDefault(node => node is { KindRole: "control-plane", IsRunning: true }) is not { } first)
            return new() { Cluster = cluster, Host = $"{cluster.Name}-control-plane",
                Fault = $"'{cluster.Name}' has no running control plane" };

        var target = new PeerTarget { Cluster = cluster, Host = (balancer ?? first).Name };
        try
        {
            using var api = connect(access);
            var service = api.ReadObjectAsync(new ObjectReference("v1", "services", "default", "kubernetes"), cancellationToken);
            var pods = api.ListObjectsAsync("v1", "pods", null, null, cancellationToken);
            await Task.WhenAll(service, pods).ConfigureAwait(false);
            return target with
            {
                Authority = KubeconfigDocument.Load(access.KubeconfigPath).Resolve(access.ContextName).Authority,
                Services = Addresses(await service.ConfigureAwait(false)),
                Pods = ReadyPod.Find(await pods.ConfigureAwait(false)),
            };
        }
        catch (MeshTrustException e)
        {
            return target with { Fault =
                $"the Services and pods of '{cluster.Name}' cannot be read: {e.Problems[0].Message.TrimEnd('.')}" };
        }
    }

    private static List<IPAddress> Addresses(JsonObject? service)
    {
        var spec = service?["spec"];
        var texts = spec?["clusterIPs"] is JsonArray { Count: > 0 } many ? many.Select(one => (string?)one) : [(string?)spec?["clusterIP"]];
        return [.. texts.Select(text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>()];
    }

    private string[] Curl(string address) =>
        ["curl", "--silent", "--show-error", "--noproxy", "*", "--connect-timeout", Text(Connection), "--max-time", Text(Patience),
            "--cacert", "/dev/stdin", "--output", "/dev/null", address];

    private string[] Connect(IPEndPoint pod) =>
        ["timeout", Text(Patience), "bash", "-c", $"exec 3<>/dev/tcp/{pod.Address}/{pod.Port.ToString(CultureInfo.InvariantCulture)}"];

    private static string Text(TimeSpan seconds) => ((int)Math.Ceiling(seconds.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    private static string Text(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]"
        : address.ToString();

    private string Reason(ProcessResult result)
    {
        const int killedByTimeout = 124;
        if (result.ExitCode == killedByTimeout) return $"no answer within {Text(Patience)} s";
        var line = result.Error.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        return (line ?? $"exit code {result.ExitCode}").TrimEnd('.');
    }

    private sealed record PeerCall(ClusterName From, string Node, PeerPath Path, PeerTarget To, string Target, string[] Command);
}

/// <summary>What the nodes of other clusters call in one cluster.</summary>
internal sealed record PeerTarget
{
    public required ClusterSpec Cluster { get; init; }
    public required string Host { get; init; }
    public string? Authority { get; init; }
    public IReadOnlyList<IPAddress> Services { get; init; } = [];

    /// <summary>Addresses of ready pods, one on each node, with a port that each answers on.</summary>
    public IReadOnlyList<IPEndPoint> Pods { get; init; } = [];
    public string? Fault { get; init; }
}

/// <summary>
/// Finds pods that must answer a caller from outside, one on each node that has one: ready, with its own address, and a port that its probe
/// uses.
/// </summary>
internal static class ReadyPod
{
    public static IReadOnlyList<IPEndPoint> Find(IReadOnlyList<JsonObject> pods) =>
    [
        .. from node in pods.GroupBy(pod => (string?)pod["spec"]?["nodeName"])
           let fit = node.Where(IsReady).Select(pod => (Pod: pod, Port: Port(pod))).FirstOrDefault(pod => pod.Port is not null)
           where fit.Pod is not null
           from address in Addresses(fit.Pod)
           select new IPEndPoint(address, fit.Port!.Value),
    ];

    private static bool IsReady(JsonObject pod) =>
        (bool?)pod["spec"]?["hostNetwork"] is not true
        && List(pod["status"]?["conditions"]).Any(condition => (string?)condition?["type"] == "Ready"
            && (string?)condition?["status"] == "True")
        && Addresses(pod).Count > 0;

    private static List<IPAddress> Addresses(JsonObject pod) =>
        [.. List(pod["status"]?["podIPs"]).Select(one => IPAddress.TryParse((string?)one?["ip"], out var address) ? address : null)
            .OfType<IPAddress>()];

    private static int? Port(JsonObject pod) =>
        (from container in List(pod["spec"]?["containers"])
         from probe in (string[])["readinessProbe", "livenessProbe"]
         from way in (string[])["httpGet", "tcpSocket"]
         let port = container?[probe]?[way]?["port"]
         where port?.GetValueKind() == System.Text.Json.JsonValueKind.Number
         select (int?)port).FirstOrDefault();

    private static JsonArray List(JsonNode? list) => list as JsonArray ?? [];
}
