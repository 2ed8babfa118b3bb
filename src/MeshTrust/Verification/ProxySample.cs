using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>What some of the sidecars and gateways of a cluster hold. ztunnel is not read.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Proxies">The sample, the oldest pods first; empty if none runs.</param>
/// <param name="Fault">Why the pods could not be listed, as a sentence; null if they were.</param>
internal sealed record ProxySample(ClusterName Cluster, IReadOnlyList<ProxyReading> Proxies, string? Fault)
{
    /// <summary>The most proxies to ask in a cluster.</summary>
    internal const int Size = 20;

    /// <summary>The label of every pod that has Istio's sidecar or is its gateway (istio-discovery/files/*.yaml).</summary>
    private const string Label = "service.istio.io/canonical-name";
    private const string Container = "istio-proxy";

    /// <summary>Whatever goes wrong becomes part of the samples; only cancellation throws.</summary>
    /// <param name="clusters">A connection to each cluster.</param>
    /// <param name="parallel">The number of proxies to ask in parallel.</param>
    /// <param name="patience">How long one proxy may take.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    internal static async Task<IReadOnlyList<ProxySample>> ReadAsync(
        IEnumerable<IClusterApi> clusters, int parallel, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var gate = new SemaphoreSlim(Math.Max(1, parallel));
        return await Task.WhenAll(clusters.Select(ReadAsync)).ConfigureAwait(false);

        async Task<ProxySample> ReadAsync(IClusterApi api)
        {
            var found = await FindAsync(api, cancellationToken).ConfigureAwait(false);
            return found with { Proxies = await Task.WhenAll(found.Proxies.Select(p => AskAsync(api, p))).ConfigureAwait(false) };
        }

        async Task<ProxyReading> AskAsync(IClusterApi api, ProxyReading proxy)
        {
            await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await proxy.AskAsync(api, patience, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                gate.Release();
            }
        }
    }

    /// <summary>The oldest pods, which may have missed a change, of as many namespaces as possible.</summary>
    private static async Task<ProxySample> FindAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            var pods = await api.ListObjectsAsync("v1", "pods", null, $"labelSelector={Label}", cancellationToken).ConfigureAwait(false);
            var sample = pods.Where(HasProxy).OrderBy(Created, StringComparer.Ordinal)
                .GroupBy(p => p["metadata"]!["namespace"]!.ToString()).SelectMany(ns => ns.Index())
                .OrderBy(p => p.Index).ThenBy(p => Created(p.Item), StringComparer.Ordinal).Take(Size);
            return new(api.Cluster, [.. sample.Select(p => ProxyReading.Of(p.Item))], null);
        }
        catch (MeshTrustException fault)
        {
            return new(api.Cluster, [], LiveReader.Explain(fault));
        }

        static string Created(JsonObject pod) => pod["metadata"]!["creationTimestamp"]?.ToString() ?? "";

        static bool HasProxy(JsonObject pod) => pod["status"]?["phase"]?.ToString() == "Running"
            && pod["metadata"]!["deletionTimestamp"] is null && pod["metadata"]!["labels"]?["app"]?.ToString() != "ztunnel"
            && (IstiodPods.Named(pod["spec"]?["containers"], Container) ?? IstiodPods.Named(pod["spec"]?["initContainers"], Container))
                is not null;
    }
}

/// <summary>What the Envoy of one pod holds.</summary>
/// <param name="Namespace">The pod's namespace.</param>
/// <param name="Pod">The pod's name.</param>
/// <param name="Owner">What restarts it, such as <c>deployment/web</c>; null if unknown.</param>
internal sealed record ProxyReading(string Namespace, string Pod, string? Owner)
{
    private const int Port = 15000;
    private const int LongestAnswer = 8 << 20;

    /// <summary>The roots that it trusts (ROOTCA).</summary>
    internal IReadOnlyList<CertificateDocument> Roots { get; private init; } = [];

    /// <summary>Its own certificate (default), then the rest of the chain.</summary>
    internal IReadOnlyList<CertificateDocument> Chain { get; private init; } = [];

    /// <summary>Why it could not be read, as a sentence; null if it was.</summary>
    internal string? Fault { get; private init; }

    public override string ToString() => $"{Namespace}/{Pod}";

    internal static ProxyReading Of(JsonObject pod)
    {
        var metadata = pod["metadata"]!;
        var owner = (metadata["ownerReferences"] as JsonArray)?.FirstOrDefault();
        var (kind, name) = (owner?["kind"]?.ToString(), owner?["name"]?.ToString() ?? "");
        var hash = $"-{metadata["labels"]?["pod-template-hash"]}";
        return new(metadata["namespace"]!.ToString(), metadata["name"]!.ToString(), kind switch
        {
            "ReplicaSet" when hash.Length > 1 && name.EndsWith(hash, StringComparison.Ordinal) => $"deployment/{name[..^hash.Length]}",
            "StatefulSet" or "DaemonSet" => $"{kind.ToLowerInvariant()}/{name}",
            _ => null,
        });
    }

    /// <summary>Asks Envoy's admin port, which redacts keys (envoy source/server/admin/config_dump_handler.cc).</summary>
    internal async Task<ProxyReading> AskAsync(IClusterApi api, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(patience);
        try
        {
            var connection = await api.ForwardAsync(Namespace, Pod, Port, deadline.Token).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            using var handler = new SocketsHttpHandler { ConnectCallback = ForwardedPort.Once(connection), UseProxy = false };
            using var client = new HttpClient(handler) { MaxResponseContentBufferSize = LongestAnswer };
            var address = new Uri($"http://127.0.0.1:{Port}/config_dump?resource=dynamic_active_secrets");
            return Read(await client.GetByteArrayAsync(address, deadline.Token).ConfigureAwait(false));
        }
        catch (MeshTrustException fault)
        {
            return this with { Fault = LiveReader.Explain(fault) };
        }
        catch (HttpRequestException fault)
        {
            return this with
            {
                Fault = fault.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded
                    ? $"The answer of its Envoy is larger than {Text.Bytes(LongestAnswer)}."
                    : fault.StatusCode is { } status ? $"Its Envoy answered with status {(int)status}."
                    : $"Its Envoy did not answer on port {Port}.",
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return this with { Fault = $"Its Envoy did not answer within {patience.TotalSeconds:0.#} s." };
        }
    }

    /// <summary>Reads the certificates, and nothing else, of an <c>envoy.admin.v3.ConfigDump</c> of <c>DynamicSecret</c>s.</summary>
    private ProxyReading Read(byte[] answer)
    {
        try
        {
            using var dump = JsonDocument.Parse(answer);
            var secrets = dump.RootElement.GetProperty("configs").EnumerateArray().ToList();
            var read = this with
            {
                Roots = Certificates("ROOTCA", "validation_context", "trusted_ca"),
                Chain = Certificates("default", "tls_certificate", "certificate_chain"),
            };
            if (read is { Roots.Count: > 0, Chain.Count: > 0 }) return read;

            IReadOnlyList<CertificateDocument> Certificates(string name, string kind, string file) => PemDocument.Parse(name, secrets
                .First(s => s.GetProperty("name").GetString() == name).GetProperty("secret").GetProperty(kind).GetProperty(file)
                .GetProperty("inline_bytes").GetBytesFromBase64()).Certificates;
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            // Not what Envoy answers where Istio gave it certificates.
        }

        return this with { Fault = "Its Envoy did not answer with the certificates ROOTCA and default." };
    }
}
