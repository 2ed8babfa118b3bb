using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// What a merge into the user's kubeconfig changes, and what its removal changes. The only place that decides which entries MeshTrust
/// added: those in its record that are still as it wrote them. Pure, except that it reads the files that a kubeconfig names.
/// </summary>
internal sealed record KubeconfigEdit(KubeconfigDocument Document, IReadOnlyList<MergedContext> Records)
{
    /// <summary>Plans a merge; the parameters are those of <see cref="UserKubeconfig.MergeAsync"/>.</summary>
    /// <exception cref="MeshTrustException">MT0220: existing entries point elsewhere.</exception>
    internal static KubeconfigEdit Merge(
        string file, KubeconfigDocument before, KubeconfigDocument contexts,
        IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known, string? current)
    {
        var edit = new KubeconfigEdit(before, []);
        var problems = new List<Problem>();
        foreach (var want in wanted)
        {
            var record = known.FirstOrDefault(k => k.Context == want.Context);
            edit = edit.Merge(file, before, contexts.Resolve(want.Context), want, record, problems);
        }

        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        return new KubeconfigEdit(edit.Document with { CurrentContext = current ?? before.CurrentContext },
            [.. edit.Records.Select(r => r with { CurrentBefore = CurrentBefore(before.CurrentContext, r.Context, current, known) })]);
    }

    private KubeconfigEdit Merge(
        string file, KubeconfigDocument before, ResolvedContext wanted, MergedContext want, MergedContext? record, List<Problem> problems)
    {
        var oldContext = Find(before.ContextEntries, want.Context);
        var endpoint = oldContext is null ? null : EndpointOf(before, want.Context);
        var isOurs = record?.LedTo(endpoint) == true;
        // The user already has it, whatever its origin: nothing to add.
        if (oldContext is not null && !isOurs && endpoint == want.Endpoint) return this;
        var found = new List<Problem>();
        if (oldContext is not null && !isOurs) found.Add(Elsewhere(file, "context", want.Context, endpoint, want.Endpoint));

        var oldCluster = Find(before.Clusters, wanted.Cluster.Name);
        var clusterEndpoint = oldCluster is null ? null : EndpointOf(oldCluster);
        var isOurCluster = oldCluster is null || record?.IsClusterEntry(oldCluster.Name, clusterEndpoint) == true;
        if (!isOurCluster && clusterEndpoint != want.Endpoint)
            found.Add(Elsewhere(file, "cluster", oldCluster!.Name, clusterEndpoint, want.Endpoint));

        var user = wanted.User.Name.Length > 0 ? wanted.User : null;
        var oldUser = user is null ? null : Find(before.Users, user.Name);
        var digest = user is null ? null : Digest(user);
        var oldDigest = oldUser is null ? null : Digest(oldUser);
        var isOurUser = user is not null && (oldUser is null || record?.IsUserEntry(oldUser.Name, oldDigest!) == true);
        if (oldUser is not null && !isOurUser && oldDigest != digest)
        {
            found.Add(Conflict(file, "user", oldUser.Name,
                $"The user '{oldUser.Name}' has different credentials from those that this run would write. "
                + "MeshTrust did not write them, so they are kept"));
        }

        problems.AddRange(found);
        if (problems.Count > 0) return this;
        var context = oldContext?.With(("cluster", wanted.Cluster.Name), ("user", user?.Name)) ?? wanted.Context;
        var earlier = endpoint ?? (isOurCluster ? clusterEndpoint : null);
        return new KubeconfigEdit(
            Document with
            {
                Clusters = isOurCluster ? Put(Document.Clusters, wanted.Cluster) : Document.Clusters,
                ContextEntries = Put(Document.ContextEntries, context),
                Users = isOurUser ? Put(Document.Users, user!) : Document.Users,
            },
            [.. Records, want with
            {
                ClusterEntry = isOurCluster ? wanted.Cluster.Name : null,
                UserEntry = isOurUser ? user!.Name : null,
                UserDigest = isOurUser ? digest : null,
                EarlierEndpoint = earlier == want.Endpoint ? null : earlier,
                EarlierUserDigest = isOurUser && oldDigest != digest ? oldDigest : null,
            }]);
    }

    /// <summary>Removes what merges added, if it still points where they left it.</summary>
    /// <returns>The document without it, the removed contexts, and those that now point elsewhere.</returns>
    internal static (KubeconfigDocument Document, IReadOnlyList<string> Removed, IReadOnlyList<string> Left) Remove(
        KubeconfigDocument document, IReadOnlyList<MergedContext> records)
    {
        var there = records.Where(r => document.Contexts.Contains(r.Context)).ToLookup(r => r.LedTo(EndpointOf(document, r.Context)));
        var gone = there[true].ToList();
        var kept = document.ContextEntries.Where(c => gone.All(g => g.Context != c.Name)).ToList();
        var current = document.CurrentContext;
        if (gone.Find(g => g.Context == current) is { } ours)
            current = kept.Exists(c => c.Name == ours.CurrentBefore) ? ours.CurrentBefore : null;
        var after = new KubeconfigDocument(
            [.. document.Clusters.Where(c => IsUsed("cluster", c) || !records.Any(r => r.IsClusterEntry(c.Name, EndpointOf(c))))],
            kept,
            [.. document.Users.Where(u => IsUsed("user", u) || !records.Any(r => r.IsUserEntry(u.Name, Digest(u))))],
            current);
        return (after, [.. gone.Select(g => g.Context)], [.. there[false].Select(l => l.Context)]);

        bool IsUsed(string key, KubeconfigEntry entry) => kept.Exists(c => c.Text(key) == entry.Name);
    }

    private static string? CurrentBefore(string? there, string context, string? current, IReadOnlyList<MergedContext> known)
    {
        if (current != context || there == context) return known.FirstOrDefault(k => k.Context == context)?.CurrentBefore;
        // If an earlier merge set the current context too, use the one before that merge.
        return known.FirstOrDefault(k => k.Context == there) is { } other ? other.CurrentBefore : there;
    }

    private static KubeconfigEntry? Find(IReadOnlyList<KubeconfigEntry> entries, string name) =>
        entries.FirstOrDefault(e => e.Name == name);

    /// <summary>An entry that already has these values is kept as written: repeating a merge changes nothing.</summary>
    private static List<KubeconfigEntry> Put(IReadOnlyList<KubeconfigEntry> entries, KubeconfigEntry entry) =>
        Find(entries, entry.Name) is null
            ? [.. entries, entry]
            : [.. entries.Select(e => e.Name == entry.Name && Canonical(e.Body) != Canonical(entry.Body) ? entry : e)];

    private static string? EndpointOf(KubeconfigDocument document, string context) =>
        Find(document.Clusters, Find(document.ContextEntries, context)?.Text("cluster") ?? "") is { } cluster ? EndpointOf(cluster) : null;

    private static string? EndpointOf(KubeconfigEntry cluster) =>
        ResolvedContext.EndpointOf(ResolvedContext.ClusterWithFilesInside(cluster, KubeconfigReader.ReadNamedFile, []));

    private static string Digest(KubeconfigEntry user)
    {
        var whole = ResolvedContext.UserWithFilesInside(user, KubeconfigReader.ReadNamedFile, []);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Canonical(whole.Body))));
    }

    /// <summary>The values in canonical form: kubectl, which may also write the file, uses different quotes and order.</summary>
    internal static string Canonical(YamlNode node) => node switch
    {
        YamlMappingNode map => $"{{{string.Concat(map.Children
            .Where(c => !c.Value.IsNull())
            .OrderBy(c => c.Key.Text(), StringComparer.Ordinal)
            .Select(c => $"{Canonical(c.Key)}:{Canonical(c.Value)}"))}}}",
        YamlSequenceNode list => $"[{string.Concat(list.Select(Canonical))}]",
        YamlScalarNode { Value: var value } => $"{value?.Length ?? 0}\"{value}\"",
        _ => "",
    };

    private static Problem Elsewhere(string file, string kind, string name, string? endpoint, string wanted)
    {
        var (there, here) = (ServerOf(endpoint), ServerOf(wanted));
        var leads = there is null ? "has no usable server address"
            : there == here ? $"points to {there} with another CA" : $"points to {there}, and this run would point it to {here}";
        return Conflict(file, kind, name, $"The {kind} '{name}' {leads}. MeshTrust did not write it, so it is kept");
    }

    private static Problem Conflict(string file, string kind, string name, string what) => new("MT0220", file,
        $"{what}, and nothing was merged.",
        "Merge into another file with --merge-kubeconfig=FILE, or omit --merge-kubeconfig. "
        + $"If you no longer need the {kind}, remove it: kubectl --kubeconfig '{file}' config delete-{kind} '{name}'");

    private static string? ServerOf(string? endpoint) => endpoint?[..endpoint.LastIndexOf(' ')];
}

/// <summary>
/// A context that was merged into the user's kubeconfig, and the entries that were added for it. If its
/// <see cref="ResolvedContext.Endpoint"/> differs from this one, it is not MeshTrust's.
/// </summary>
internal sealed record MergedContext(string File, string Context, string Cluster, string Endpoint)
{
    /// <summary>Null if the entry of <c>clusters</c> already existed.</summary>
    public string? ClusterEntry { get; init; }

    /// <summary>Null if the entry of <c>users</c> already existed.</summary>
    public string? UserEntry { get; init; }

    /// <summary>SHA-256 of that user entry as written: an entry that changed since belongs to the user.</summary>
    public string? UserDigest { get; init; }

    /// <summary>The endpoint before the last merge, which may have been interrupted.</summary>
    public string? EarlierEndpoint { get; init; }

    /// <summary>The digest that was in the file before the last merge.</summary>
    public string? EarlierUserDigest { get; init; }

    /// <summary>The current context before the merge changed it to this one.</summary>
    public string? CurrentBefore { get; init; }

    /// <summary>Whether it stays when kind clusters are removed: the cluster is not a kind cluster of this work directory.</summary>
    public bool Stays { get; init; }

    internal bool LedTo(string? endpoint) => endpoint is not null && (endpoint == Endpoint || endpoint == EarlierEndpoint);

    internal bool IsClusterEntry(string name, string? endpoint) => name == ClusterEntry && LedTo(endpoint);

    internal bool IsUserEntry(string name, string digest) => name == UserEntry && (digest == UserDigest || digest == EarlierUserDigest);
}

/// <summary>What was merged into the user's kubeconfigs, so that exactly that can be removed again. Not secret.</summary>
internal sealed record MergedContexts(int Version, IReadOnlyList<MergedContext> Contexts)
{
    internal static MergedContexts None { get; } = new(KnownVersion, []);

    internal const string FileName = "merged.json";
    private const int KnownVersion = 1;

    /// <exception cref="MeshTrustException">MT2301: this version cannot read the file.</exception>
    internal static MergedContexts Parse(string json, string location)
    {
        try
        {
            var merged = JsonSerializer.Deserialize(json, MergedContextsJson.Default.MergedContexts);
            return merged is { Version: KnownVersion, Contexts: not null } ? merged : throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new MeshTrustException(Stage.Contexts, new Problem(ProblemCodes.StateUnreadable, location,
                "The record of the contexts that MeshTrust merged into your kubeconfig cannot be read.",
                "Restore the file, or remove it: "
                + "contexts of deleted clusters then stay in your kubeconfig (kubectl config delete-context)."), e);
        }
    }

    internal string ToJson() => JsonSerializer.Serialize(this, MergedContextsJson.Default.MergedContexts) + "\n";

    /// <summary>With these contexts added; they replace those of the same name in the same file.</summary>
    internal MergedContexts With(IReadOnlyList<MergedContext> contexts) =>
        this with { Contexts = [.. Without(contexts).Contexts, .. contexts] };

    internal MergedContexts Without(IReadOnlyList<MergedContext> contexts) =>
        this with { Contexts = [.. Contexts.ExceptBy(contexts.Select(c => (c.File, c.Context)), c => (c.File, c.Context))] };
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n", RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MergedContexts))]
internal sealed partial class MergedContextsJson : JsonSerializerContext;
