using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>A kubeconfig, read strictly. Immutable; its ToString names contexts, never credentials.</summary>
/// <remarks>
/// Reading validates the structure of the whole file. What a context refers to (its cluster, its user, their files) is validated only
/// when that context is used: a stale entry for another cluster must not stop a run that never touches it.
/// </remarks>
internal sealed record KubeconfigDocument(
    IReadOnlyList<KubeconfigEntry> Clusters, IReadOnlyList<KubeconfigEntry> ContextEntries, IReadOnlyList<KubeconfigEntry> Users,
    string? CurrentContext)
{
    internal static KubeconfigDocument Empty { get; } = new([], [], [], null);
    internal IReadOnlyList<string> Contexts => [.. ContextEntries.Select(c => c.Name)];

    /// <summary>Reads a kubeconfig.</summary>
    /// <exception cref="MeshTrustException">Stage Contexts, with all problems of the file.</exception>
    internal static KubeconfigDocument Parse(string path, string text)
    {
        var (document, problems) = KubeconfigReader.Parse(path, text);
        return document ?? throw new MeshTrustException(Stage.Contexts, problems);
    }

    /// <summary>Reads and merges files as kubectl does: the first definition of an entry wins, and missing files are skipped.</summary>
    /// <exception cref="MeshTrustException">Stage Contexts: no file exists, or one cannot be read or is invalid.</exception>
    internal static KubeconfigDocument Load(params IReadOnlyList<string> paths)
    {
        var problems = new List<Problem>();
        var missing = new List<Problem>();
        KubeconfigDocument? merged = null;
        foreach (var path in paths)
        {
            var (document, wrong) = KubeconfigReader.Read(path);
            foreach (var problem in wrong) (problem.Id == ProblemCodes.KubeconfigMissing ? missing : problems).Add(problem);
            if (document is not null) merged = merged?.Merge(document) ?? document;
        }

        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        return merged ?? throw new MeshTrustException(Stage.Contexts, missing);
    }

    /// <summary>A context with its cluster and user.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: it is missing or unusable.</exception>
    internal ResolvedContext Resolve(string context) => ResolvedContext.Resolve(this, context);

    /// <summary>Both documents in one: entries of this one win over the other.</summary>
    internal KubeconfigDocument Merge(KubeconfigDocument other) => new(
        Union(Clusters, other.Clusters), Union(ContextEntries, other.ContextEntries), Union(Users, other.Users),
        CurrentContext ?? other.CurrentContext);

    /// <summary>Only this context, which becomes the current one, with its cluster and user. Files that they name are embedded.</summary>
    /// <param name="context">The context's name.</param>
    /// <param name="readFile">Reads a file that the kubeconfig names, null if it is missing; by default from disk.</param>
    /// <exception cref="MeshTrustException">Stage Contexts: the context is missing or unusable.</exception>
    internal KubeconfigDocument Subset(string context, Func<string, byte[]?>? readFile = null)
    {
        var resolved = Resolve(context).WithFilesInside(readFile ?? KubeconfigReader.ReadNamedFile);
        return new([resolved.Cluster], [resolved.Context], [resolved.User], context);
    }

    /// <summary>The same document with one context renamed.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: there is no such context.</exception>
    internal KubeconfigDocument RenameContext(string from, string to)
    {
        _ = ResolvedContext.Find(this, from);
        return this with
        {
            ContextEntries = [.. ContextEntries.Select(c => c.Name == from ? c with { Name = to } : c)],
            CurrentContext = CurrentContext == from ? to : CurrentContext,
        };
    }

    /// <summary>For a document with one context: its cluster and user under this name, so that documents merge without a clash.</summary>
    internal KubeconfigDocument NameEntries(string name) => new(
        [Clusters.Single() with { Name = name }],
        [ContextEntries.Single().With(("cluster", name), ("user", name))],
        [Users.Single() with { Name = name }],
        CurrentContext);

    /// <summary>For a document with one context: the same credentials for another address of the same API server.</summary>
    /// <param name="server">An address that the server's certificate names.</param>
    /// <param name="tlsServerName">A name in the certificate, if the certificate does not include the address.</param>
    internal KubeconfigDocument WithServer(Uri server, string? tlsServerName = null)
    {
        var address = server.GetLeftPart(UriPartial.Authority);
        return this with { Clusters = [Clusters.Single().With(("server", address), ("tls-server-name", tlsServerName))] };
    }

    /// <summary>The document without these contexts, and without their clusters and users if no other context needs them.</summary>
    internal KubeconfigDocument Without(IReadOnlyCollection<string> contexts)
    {
        var groups = ContextEntries.ToLookup(c => contexts.Contains(c.Name));
        var (gone, kept) = (groups[true].ToList(), groups[false].ToList());
        return new([.. Clusters.Where(c => !IsFreed("cluster", c.Name))], kept, [.. Users.Where(u => !IsFreed("user", u.Name))],
            CurrentContext is { } current && contexts.Contains(current) ? null : CurrentContext);

        bool IsFreed(string key, string name) => gone.Exists(c => c.Text(key) == name) && !kept.Exists(c => c.Text(key) == name);
    }

    /// <summary>The canonical text. It may hold credentials: write it with mode 0600, never to a log.</summary>
    internal string ToYaml() => KubeconfigWriter.Write(this);

    internal string ListContexts() => Contexts.Count == 0 ? "The kubeconfig has no contexts."
        : $"Available contexts: {string.Join(", ", Contexts.Take(20))}{(Contexts.Count > 20 ? ", ..." : "")}.";

    public override string ToString() => $"kubeconfig with {Contexts.Count} context(s): {string.Join(", ", Contexts)}";

    private static List<KubeconfigEntry> Union(IReadOnlyList<KubeconfigEntry> first, IReadOnlyList<KubeconfigEntry> second) =>
        [.. first, .. second.Where(s => first.All(f => f.Name != s.Name))];
}

/// <summary>One entry of <c>clusters</c>, <c>contexts</c> or <c>users</c>. Its ToString shows no values: they may be a token.</summary>
internal sealed record KubeconfigEntry(string Name, string Source, int Line, YamlMappingNode Body)
{
    /// <summary>Where the user finds it.</summary>
    internal string Location => $"{Source}:{Line}";

    /// <summary>A text value; null if it is absent, null or empty.</summary>
    internal string? Text(string key) =>
        Node(key) is YamlScalarNode { Value.Length: > 0 } scalar && !scalar.IsNull() ? scalar.Value : null;

    internal bool Flag(string key) => Node(key)?.Boolean() == true;

    /// <summary>Whether a value is present and not empty.</summary>
    internal bool Has(string key) =>
        Text(key) is not null || Node(key) is YamlMappingNode { Children.Count: > 0 } or YamlSequenceNode { Children.Count: > 0 };

    /// <summary>The items of a list of texts, such as <c>args</c>; an empty text is one too.</summary>
    internal IReadOnlyList<string> Texts(string key) => Node(key) is YamlSequenceNode list ? [.. list.Select(item => item.Text())] : [];

    /// <summary>The mappings of a list, such as <c>env</c>.</summary>
    internal IEnumerable<KubeconfigEntry> Maps(string key) =>
        Node(key) is YamlSequenceNode list ? list.OfType<YamlMappingNode>().Select(map => this with { Body = map }) : [];

    /// <summary>A mapping below this entry, such as <c>exec</c>; null if it is absent.</summary>
    internal KubeconfigEntry? Map(string key) => Node(key) is YamlMappingNode map ? this with { Body = map } : null;

    internal YamlNode? Node(string key) => Body.Find(key);

    internal int LineOf(string key) => Body.Entry(key)?.Key.Line() ?? Line;

    internal string LocationOf(string key) => $"{Source}:{LineOf(key)}";

    /// <summary>The full path of a file that a value names; relative paths are relative to the kubeconfig.</summary>
    internal string FullPath(string path) => Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(Source)) ?? ".");

    /// <summary>The same entry with other values; null removes one.</summary>
    internal KubeconfigEntry With(params IReadOnlyList<(string Key, string? Value)> changes) =>
        WithNodes([.. changes.Select(c => (c.Key, c.Value is null ? null : (YamlNode)YamlText.Scalar(c.Value)))]);

    internal KubeconfigEntry WithNodes(params IReadOnlyList<(string Key, YamlNode? Value)> changes)
    {
        var body = new YamlMappingNode(Body.Children.Where(child => changes.All(c => c.Key != child.Key.Text())));
        foreach (var (key, value) in changes)
            if (value is not null) body.Add(Body.Entry(key)?.Key ?? key, value);
        return this with { Body = body };
    }

    public override string ToString() => $"{Name} ({Location})";
}
