namespace MeshTrust.Kubeconfig;

/// <summary>A kubeconfig, read strictly. Immutable; its ToString names contexts, never credentials.</summary>
/// <remarks>
/// Reading judges the shape of the whole file. What a context leads to (its cluster, its user, the files they name) is judged where that
/// context is used: a stale entry for another cluster in a person's own kubeconfig must not stop a run that never touches it.
/// </remarks>
public sealed class KubeconfigDocument
{
    internal KubeconfigDocument(
        IReadOnlyList<KubeconfigEntry> clusters, IReadOnlyList<KubeconfigEntry> contexts, IReadOnlyList<KubeconfigEntry> users, string? currentContext)
    {
        Clusters = clusters;
        ContextEntries = contexts;
        Users = users;
        CurrentContext = currentContext;
    }

    /// <summary>The names of the contexts, in the order of the file.</summary>
    public IReadOnlyList<string> Contexts => [.. ContextEntries.Select(c => c.Name)];

    /// <summary>The file's <c>current-context</c>; null for none. MeshTrust never acts on it.</summary>
    public string? CurrentContext { get; }

    internal IReadOnlyList<KubeconfigEntry> Clusters { get; }

    internal IReadOnlyList<KubeconfigEntry> ContextEntries { get; }

    internal IReadOnlyList<KubeconfigEntry> Users { get; }

    /// <summary>Reads a kubeconfig.</summary>
    /// <param name="path">The file's path, for messages and for the relative paths in it.</param>
    /// <param name="text">The file's text: YAML or JSON.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>, with all problems of the file.</exception>
    public static KubeconfigDocument Parse(string path, string text)
    {
        var (document, problems) = KubeconfigReader.Read(path, text);
        return document ?? throw new MeshTrustException(Stage.Contexts, problems);
    }

    /// <summary>Reads files and merges them as kubectl does: the first to name something wins. Files that are missing are left out where another one is there.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: no file is there, or one cannot be read or is wrong.</exception>
    public static KubeconfigDocument Load(params IReadOnlyList<string> paths)
    {
        var problems = new List<Problem>();
        var missing = new List<Problem>();
        KubeconfigDocument? merged = null;
        foreach (var path in paths)
        {
            if (KubeconfigFile.TryRead(path, out var text, out var problem) is false)
            {
                (problem!.Id == KubeconfigFile.MissingId ? missing : problems).Add(problem);
                continue;
            }
            var (document, wrong) = KubeconfigReader.Read(path, text!);
            problems.AddRange(wrong);
            if (document is not null) merged = merged?.Merge(document) ?? document;
        }
        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        return merged ?? throw new MeshTrustException(Stage.Contexts, missing);
    }

    /// <summary>Both documents in one: what this one names wins over the other.</summary>
    public KubeconfigDocument Merge(KubeconfigDocument other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new(Union(Clusters, other.Clusters), Union(ContextEntries, other.ContextEntries), Union(Users, other.Users), CurrentContext ?? other.CurrentContext);
    }

    /// <summary>Only this context with its cluster and user; it becomes the current one. Files that they name are taken into the document.</summary>
    /// <param name="context">The context's name.</param>
    /// <param name="readFile">Reads a file that the kubeconfig names; null where it is missing.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the context is missing or leads nowhere.</exception>
    public KubeconfigDocument Subset(string context, Func<string, byte[]?> readFile)
    {
        var judged = KubeconfigJudge.Judge(this, context);
        var problems = new List<Problem>();
        var cluster = KubeconfigFiles.Inline(judged.Cluster, "certificate-authority", readFile, problems);
        var user = KubeconfigFiles.Inline(judged.User, "client-certificate", readFile, problems);
        user = KubeconfigFiles.Inline(user, "client-key", readFile, problems);
        user = KubeconfigFiles.MakeAbsolute(user);
        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        return new([cluster], [judged.Context], [user], context);
    }

    /// <summary>The same document under another name of the context.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: there is no such context.</exception>
    public KubeconfigDocument RenameContext(string from, string to)
    {
        _ = KubeconfigJudge.Find(this, from);
        return new(Clusters, [.. ContextEntries.Select(c => c.Name == from ? c with { Name = to } : c)], Users, CurrentContext == from ? to : CurrentContext);
    }

    /// <summary>For a document with one context: its cluster and user under this name, so that several documents merge without a clash.</summary>
    /// <exception cref="InvalidOperationException">There are several.</exception>
    public KubeconfigDocument NameEntries(string name)
    {
        if (Clusters.Count != 1 || ContextEntries.Count != 1 || Users.Count != 1) throw new InvalidOperationException("Only a document with one context can be named.");
        return new([Clusters[0] with { Name = name }], [ContextEntries[0].With(("cluster", name), ("user", name))], [Users[0] with { Name = name }], CurrentContext);
    }

    /// <summary>For a document with one context: the same credentials for another address of the same API server.</summary>
    /// <param name="server">An address that the server's certificate names.</param>
    /// <param name="tlsServerName">A name that the certificate has where it has not that of the address; null where it has.</param>
    /// <exception cref="InvalidOperationException">There are several contexts.</exception>
    public KubeconfigDocument WithServer(Uri server, string? tlsServerName = null)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (Clusters.Count != 1) throw new InvalidOperationException("Only a document with one context has one server.");
        return new([Clusters[0].With(("server", server.GetLeftPart(UriPartial.Authority)), ("tls-server-name", tlsServerName))], ContextEntries, Users, CurrentContext);
    }

    /// <summary>The document without these contexts and without their clusters and users, where no other context needs them.</summary>
    /// <param name="contexts">Names of contexts; one that is not there is no fault.</param>
    public KubeconfigDocument Without(IReadOnlyCollection<string> contexts)
    {
        ArgumentNullException.ThrowIfNull(contexts);
        var kept = ContextEntries.Where(c => !contexts.Contains(c.Name)).ToList();
        var gone = ContextEntries.Where(c => contexts.Contains(c.Name)).ToList();
        return new(
            [.. Clusters.Where(c => !Frees(gone, kept, "cluster", c.Name))],
            kept,
            [.. Users.Where(u => !Frees(gone, kept, "user", u.Name))],
            CurrentContext is { } current && contexts.Contains(current) ? null : CurrentContext);
    }

    /// <summary>The same document with another current context; null for none.</summary>
    public KubeconfigDocument WithCurrent(string? context) => new(Clusters, ContextEntries, Users, context);

    /// <summary>What a context leads to.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: it is missing or leads nowhere.</exception>
    public KubeconfigContext Describe(string context) => KubeconfigJudge.Judge(this, context).Describe();

    /// <summary>The canonical text. It may hold credentials: write it with mode 0600, never to a log.</summary>
    public string ToYaml() => KubeconfigWriter.Write(this);

    /// <summary>Names only.</summary>
    public override string ToString() => $"kubeconfig with {Contexts.Count} context(s): {string.Join(", ", Contexts)}";

    private static bool Frees(List<KubeconfigEntry> gone, List<KubeconfigEntry> kept, string key, string name) =>
        gone.Exists(c => c.Text(key) == name) && !kept.Exists(c => c.Text(key) == name);

    private static List<KubeconfigEntry> Union(IReadOnlyList<KubeconfigEntry> first, IReadOnlyList<KubeconfigEntry> second) =>
        [.. first, .. second.Where(s => first.All(f => f.Name != s.Name))];
}
