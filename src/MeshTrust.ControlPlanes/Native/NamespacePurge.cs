using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>Empties and removes a namespace, because no controller does.</summary>
internal sealed class NamespacePurge(HttpClient client, string plane)
{
    private const int AtOnce = 8;
    private const int Rounds = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public async Task PurgeAsync(string name, CancellationToken cancellationToken)
    {
        var path = $"api/v1/namespaces/{Uri.EscapeDataString(name)}";
        if (await FindAsync(path, cancellationToken).ConfigureAwait(false) is null) return;

        // Terminating first, so that nothing is added while it is emptied. The default namespace rejects this, and stays.
        var removes = name != "default";
        if (removes) await SendAsync(HttpMethod.Delete, path, null, cancellationToken).ConfigureAwait(false);
        var collections = await CollectionsAsync(path, name, cancellationToken).ConfigureAwait(false);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(collections, parallel, EmptyAsync).ConfigureAwait(false);
        if (!removes) return;

        for (var round = 0; await FindAsync(path, cancellationToken).ConfigureAwait(false) is { } space; round++)
        {
            if (round >= Rounds) throw Refused(path, "it still exists after it was finalized");
            space["spec"] = new JsonObject { ["finalizers"] = new JsonArray() };
            await SendAsync(HttpMethod.Put, $"{path}/finalize", space, cancellationToken).ConfigureAwait(false);
            if (round > 0) await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes all objects of a kind, and removes the finalizers that no controller here would ever remove.</summary>
    private async ValueTask EmptyAsync(string collection, CancellationToken cancellationToken)
    {
        await SendAsync(HttpMethod.Delete, collection, null, cancellationToken).ConfigureAwait(false);
        for (var round = 0; ; round++)
        {
            var left = (await FindAsync(collection, cancellationToken).ConfigureAwait(false))?["items"]?.AsArray() ?? [];
            if (left.Count == 0) return;
            if (round >= Rounds) throw Refused(collection, $"{left.Count} objects still exist after they were deleted");
            foreach (var metadata in left.Select(item => item!["metadata"]!).Where(m => m["finalizers"] is not null))
            {
                var release = new JsonObject { ["metadata"] = new JsonObject { ["finalizers"] = null } };
                var item = $"{collection}/{Uri.EscapeDataString(metadata["name"]!.GetValue<string>())}";
                await SendAsync(HttpMethod.Patch, item, release, cancellationToken).ConfigureAwait(false);
            }

            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The paths of everything in the namespace that can be listed and deleted as a collection, custom resources too.</summary>
    private async Task<IReadOnlyList<string>> CollectionsAsync(string space, string name, CancellationToken cancellationToken)
    {
        var groups = (await FindAsync("apis", cancellationToken).ConfigureAwait(false))?["groups"]?.AsArray() ?? [];
        var versions = groups
            .Select(g => g!["preferredVersion"]!["groupVersion"]!.GetValue<string>())
            .Select(v => (Resources: $"apis/{v}", Prefix: $"apis/{v}/namespaces/{Uri.EscapeDataString(name)}"));
        var found = new List<string>();
        foreach (var (resources, prefix) in versions.Prepend((Resources: "api/v1", Prefix: space)))
        {
            var list = (await FindAsync(resources, cancellationToken).ConfigureAwait(false))?["resources"]?.AsArray() ?? [];
            found.AddRange(list
                .Where(r => r!["namespaced"]!.GetValue<bool>() && Verbs(r).Contains("deletecollection") && Verbs(r).Contains("list"))
                .Select(r => $"{prefix}/{r!["name"]!.GetValue<string>()}"));
        }

        return found;
    }

    private static List<string> Verbs(JsonNode? resource) => [.. (resource!["verbs"]?.AsArray() ?? []).Select(v => v!.GetValue<string>())];

    private Task<JsonObject?> FindAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, path, null, cancellationToken);

    /// <returns>The answer; null for 404, and for 409 if another client was faster.</returns>
    private async Task<JsonObject?> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        var type = method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json";
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, type);
        using var answer = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict) return null;
        if (!answer.IsSuccessStatusCode)
            throw Refused(path, $"the server answered {method} with {(int)answer.StatusCode}: {(text.Length > 500 ? text[..500] : text)}");
        return JsonNode.Parse(text) as JsonObject;
    }

    private MeshTrustException Refused(string path, string why) => new(Stage.ClusterCreation, new Problem("MT2129", $"{plane}: {path}",
        $"The namespace cannot be purged: {why}.",
        "Check its content with kubectl, or start a new control plane, which takes a few seconds."));
}
