using System.Security.Cryptography;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// What a merge makes of a kubeconfig that is the user's, and what taking it back makes of it. The one place that decides which entries MeshTrust
/// added: those that its record names, while they still are what it wrote. Pure but for the files that a kubeconfig names.
/// </summary>
/// <param name="Document">The document afterwards.</param>
/// <param name="Records">What the merge added, for later merges and for cleaning.</param>
internal sealed record KubeconfigMergePlan(KubeconfigDocument Document, IReadOnlyList<MergedContext> Records)
{
    /// <summary>Plans a merge. An entry that is there and leads to the same place stays as it is; one that leads elsewhere is never overwritten.</summary>
    /// <param name="file">The user's kubeconfig, for messages.</param>
    /// <param name="before">What it holds; null for nothing.</param>
    /// <param name="contexts">What is brought in.</param>
    /// <param name="wanted">The contexts to bring in: file, name, cluster, endpoint and whether they stay.</param>
    /// <param name="known">What earlier merges added to this file.</param>
    /// <param name="current">The context that becomes the current one; null to leave it.</param>
    /// <exception cref="MeshTrustException">MT0220: entries lead elsewhere.</exception>
    public static KubeconfigMergePlan Bring(
        string file, KubeconfigDocument? before, KubeconfigDocument contexts, IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known, string? current)
    {
        var after = before ?? new KubeconfigDocument([], [], [], null);
        var there = after;
        var problems = new List<Problem>();
        var records = new List<MergedContext>();
        foreach (var want in wanted)
        {
            var record = known.FirstOrDefault(k => k.Context == want.Context);
            var judged = KubeconfigJudge.Judge(contexts, want.Context);
            var oldContext = Find(there.ContextEntries, want.Context);
            var endpoint = oldContext is null ? null : EndpointOf(there, want.Context);
            var isOurs = record?.LedTo(endpoint) == true;
            // The user has it already, from wherever: nothing to add.
            if (oldContext is not null && !isOurs && endpoint == want.Endpoint) continue;
            if (oldContext is not null && !isOurs)
                problems.Add(Elsewhere(file, $"context '{want.Context}'", "context", want.Context, endpoint, want.Endpoint));

            var oldCluster = Find(there.Clusters, judged.Cluster.Name);
            var clusterEndpoint = oldCluster is null ? null : EndpointOf(oldCluster);
            var isOurCluster = oldCluster is null || (record?.ClusterEntry == oldCluster.Name && record.LedTo(clusterEndpoint));
            if (!isOurCluster && clusterEndpoint != want.Endpoint)
                problems.Add(Elsewhere(file, $"cluster '{oldCluster!.Name}'", "cluster", oldCluster.Name, clusterEndpoint, want.Endpoint));

            var hasUser = judged.User.Name.Length > 0;
            var oldUser = hasUser ? Find(there.Users, judged.User.Name) : null;
            var digest = hasUser ? Digest(judged.User) : null;
            var oldDigest = oldUser is null ? null : Digest(oldUser);
            var isOurUser = hasUser && (oldUser is null || (record?.UserEntry == oldUser.Name && record.Wrote(oldDigest!)));
            if (oldUser is not null && !isOurUser && oldDigest != digest)
                problems.Add(New(file, $"The user '{oldUser.Name}' holds other credentials than this run would write. MeshTrust did not write them, so they stay, and nothing is merged.", "user", oldUser.Name));

            if (problems.Count > 0) continue;
            var context = oldContext?.With(("cluster", judged.Cluster.Name), ("user", hasUser ? judged.User.Name : null)) ?? judged.Context;
            after = new KubeconfigDocument(
                isOurCluster ? Put(after.Clusters, judged.Cluster) : after.Clusters,
                Put(after.ContextEntries, context),
                isOurUser ? Put(after.Users, judged.User) : after.Users,
                after.CurrentContext);
            records.Add(want with
            {
                ClusterEntry = isOurCluster ? judged.Cluster.Name : null,
                UserEntry = isOurUser ? judged.User.Name : null,
                UserDigest = isOurUser ? digest : null,
                EarlierEndpoint = (endpoint ?? (isOurCluster ? clusterEndpoint : null)) is { } earlier && earlier != want.Endpoint ? earlier : null,
                EarlierUserDigest = isOurUser && oldDigest != digest ? oldDigest : null,
                CurrentBefore = CurrentBefore(there.CurrentContext, want.Context, current, known),
            });
        }

        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        return new KubeconfigMergePlan(after.WithCurrent(current ?? after.CurrentContext), records);
    }

    /// <summary>Takes out what merges added and what still leads where they left it.</summary>
    /// <param name="document">What the kubeconfig holds.</param>
    /// <param name="records">What was added.</param>
    /// <returns>The document without it, the contexts that were taken out, and those that lead elsewhere by now.</returns>
    public static (KubeconfigDocument Document, IReadOnlyList<string> Removed, IReadOnlyList<string> Left) TakeOut(KubeconfigDocument document, IReadOnlyList<MergedContext> records)
    {
        var there = records.Where(r => document.Contexts.Contains(r.Context)).ToLookup(r => r.LedTo(EndpointOf(document, r.Context)));
        var gone = there[true].ToList();
        var kept = document.ContextEntries.Where(c => gone.All(g => g.Context != c.Name)).ToList();
        var clusters = document.Clusters.Where(c => Uses(kept, "cluster", c.Name) || !records.Any(r => r.ClusterEntry == c.Name && r.LedTo(EndpointOf(c)))).ToList();
        var users = document.Users.Where(u => Uses(kept, "user", u.Name) || !records.Any(r => r.UserEntry == u.Name && r.Wrote(Digest(u)))).ToList();
        var current = document.CurrentContext;
        if (gone.Find(g => g.Context == current) is { } ours) current = kept.Exists(c => c.Name == ours.CurrentBefore) ? ours.CurrentBefore : null;
        return (new KubeconfigDocument(clusters, kept, users, current), [.. gone.Select(g => g.Context)], [.. there[false].Select(l => l.Context)]);
    }

    private static string? CurrentBefore(string? there, string context, string? current, IReadOnlyList<MergedContext> known)
    {
        var record = known.FirstOrDefault(k => k.Context == context);
        if (current != context || there == context) return record?.CurrentBefore;
        // Where a merge made the one before current as well, what was there before that one.
        return known.FirstOrDefault(k => k.Context == there) is { } other ? other.CurrentBefore : there;
    }

    private static bool Uses(List<KubeconfigEntry> contexts, string key, string name) => contexts.Exists(c => c.Text(key) == name);

    private static KubeconfigEntry? Find(IReadOnlyList<KubeconfigEntry> entries, string name) => entries.FirstOrDefault(e => e.Name == name);

    /// <summary>One that has these values already stays as it is written: the same merge again changes nothing.</summary>
    private static List<KubeconfigEntry> Put(IReadOnlyList<KubeconfigEntry> entries, KubeconfigEntry entry) =>
        Find(entries, entry.Name) is null ? [.. entries, entry] : [.. entries.Select(e => e.Name == entry.Name && Canonical(e.Body) != Canonical(entry.Body) ? entry : e)];

    /// <summary>Where a context leads; null where it leads nowhere.</summary>
    private static string? EndpointOf(KubeconfigDocument document, string context) =>
        Find(document.Clusters, Find(document.ContextEntries, context)?.Text("cluster") ?? "") is { } cluster ? EndpointOf(cluster) : null;

    /// <summary>Where a cluster entry leads; null where it has no usable server.</summary>
    private static string? EndpointOf(KubeconfigEntry cluster) => KubeconfigJudge.EndpointOf(KubeconfigFiles.Inline(cluster, "certificate-authority", KubeconfigFile.ReadNamed, []));

    private static string Digest(KubeconfigEntry user)
    {
        var whole = KubeconfigFiles.Inline(KubeconfigFiles.Inline(user, "client-certificate", KubeconfigFile.ReadNamed, []), "client-key", KubeconfigFile.ReadNamed, []);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Canonical(KubeconfigFiles.MakeAbsolute(whole).Body))));
    }

    private static string Canonical(YamlNode node)
    {
        var text = new StringBuilder();
        Append(text, node);
        return text.ToString();
    }

    /// <summary>The values in one form: kubectl, which may write the file as well, uses other quotes and another order.</summary>
    private static void Append(StringBuilder text, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode map:
                text.Append('{');
                foreach (var (key, value) in map.Children.Where(c => !KubeconfigReader.IsNull(c.Value)).OrderBy(c => (c.Key as YamlScalarNode)?.Value, StringComparer.Ordinal))
                {
                    Append(text, key);
                    text.Append(':');
                    Append(text, value);
                }

                text.Append('}');
                break;
            case YamlSequenceNode list:
                text.Append('[');
                foreach (var item in list) Append(text, item);
                text.Append(']');
                break;
            case YamlScalarNode scalar:
                text.Append((scalar.Value ?? "").Length).Append('"').Append(scalar.Value).Append('"');
                break;
        }
    }

    private static Problem Elsewhere(string file, string entry, string kind, string name, string? endpoint, string wanted)
    {
        var (there, here) = (ServerOf(endpoint), ServerOf(wanted));
        var leads = there is null ? "names no usable server" : there == here ? $"leads to {there} with another CA" : $"leads to {there}, and this run would point it to {here}";
        return New(file, $"The {entry} {leads}. MeshTrust did not write it, so it stays, and nothing is merged.", kind, name);
    }

    private static Problem New(string file, string what, string kind, string name) => new("MT0220", file,
        what,
        $"Merge into another file with --merge-kubeconfig=FILE, or leave --merge-kubeconfig out. If you no longer need the {kind}, remove it: kubectl --kubeconfig '{file}' config delete-{kind} '{name}'");

    private static string? ServerOf(string? endpoint) => endpoint?[..endpoint.LastIndexOf(' ')];
}
