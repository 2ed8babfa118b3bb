using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Tests.Kubernetes;

namespace MeshTrust.Tests.Verification;

/// <summary>A pod with Istio's proxy, whose admin port answers in the form of Envoy's config_dump handler (envoy/admin/v3/config_dump.proto).</summary>
internal sealed class FakeEnvoy
{
    public string Namespace { get; init; } = "shop";

    public required string Pod { get; init; }

    /// <summary>The PEM of ROOTCA.</summary>
    public string Roots { get; init; } = RunningMesh.Root.Pem;

    public CraftedCertificate Signer { get; init; } = CraftedMesh.Intermediate(RunningMesh.Root, "east");

    public DateTimeOffset LeafEnds { get; init; } = DateTimeOffset.UtcNow.AddHours(20);

    public int Age { get; init; }

    /// <summary>In place of the certificates; null: it never answers.</summary>
    public Func<string?>? Body { get; init; }

    public string Status { get; init; } = "200 OK";

    /// <summary>Where the container is; init containers for a native sidecar.</summary>
    public string Containers { get; init; } = "containers";

    public string? Asked { get; private set; }

    /// <summary>Puts the pod into a cluster.</summary>
    public FakeEnvoy In(MemoryClusterApi api, string app = "web", string phase = "Running", string container = "istio-proxy")
    {
        var spec = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "app" }), ["initContainers"] = new JsonArray(new JsonObject { ["name"] = "istio-init" }) };
        spec[Containers]!.AsArray().Add(new JsonObject { ["name"] = container });
        api.Objects[new("v1", "pods", Namespace, Pod)] = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["namespace"] = Namespace, ["name"] = Pod, ["creationTimestamp"] = DateTime.UnixEpoch.AddDays(-Age).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
                ["labels"] = new JsonObject { ["app"] = app, ["service.istio.io/canonical-name"] = app, ["pod-template-hash"] = "7d9f" },
                ["ownerReferences"] = new JsonArray(new JsonObject { ["kind"] = "ReplicaSet", ["name"] = $"{app}-7d9f" }),
            },
            ["spec"] = spec,
            ["status"] = new JsonObject { ["phase"] = phase },
        };
        var others = api.Forward;
        api.Forward = (name, ct) => name == Pod ? ConnectAsync(ct) : others!(name, ct);
        return this;
    }

    /// <summary>Secrets of Istio's agent, as Envoy shows them; the key as it must never show it.</summary>
    public string Secrets(string key = "W3JlZGFjdGVkXQ==")
    {
        var leaf = Signer.Sign(new CraftedSpec { Subject = [], Ca = null, Usage = 0xa0, Uris = [$"spiffe://cluster.local/ns/{Namespace}/sa/default"], NotAfter = LeafEnds });
        return $$"""
            {
             "configs": [
              {
               "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret",
               "name": "default",
               "version_info": "1",
               "last_updated": "2026-11-30T08:39:17.075Z",
               "secret": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
                "name": "default",
                "tls_certificate": {
                 "certificate_chain": { "inline_bytes": "{{Base64(leaf.Pem + Signer.Pem)}}" },
                 "private_key": { "inline_bytes": "{{key}}" }
                }
               }
              },
              {
               "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump.DynamicSecret",
               "name": "ROOTCA",
               "secret": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
                "name": "ROOTCA",
                "validation_context": { "trusted_ca": { "inline_bytes": "{{Base64(Roots)}}" } }
               }
              }
             ]
            }
            """;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new TcpClient();
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, cancellationToken);
        _ = AnswerAsync(await listener.AcceptTcpClientAsync(cancellationToken));
        return client.GetStream();
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
        Asked = await reader.ReadLineAsync();
        while (!string.IsNullOrEmpty(await reader.ReadLineAsync()))
        {
            // The rest of the request's head.
        }

        if ((Body ?? (() => Secrets()))() is not { } body)
        {
            await reader.ReadLineAsync();
            return;
        }

        var answer = $"HTTP/1.1 {Status}\r\ncontent-type: application/json\r\nserver: envoy\r\ntransfer-encoding: chunked\r\n\r\n{Encoding.UTF8.GetByteCount(body):x}\r\n{body}\r\n0\r\n\r\n";
        try
        {
            await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(body.Length == 0 ? "" : answer));
        }
        catch (IOException)
        {
            // The client does not read an answer that is too long.
        }
    }
}
