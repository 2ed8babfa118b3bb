using System.Security.Cryptography;
using System.Text;
using MeshTrust.IO;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// A context with its cluster and user, validated. The only place that knows how client-go interprets their values: which value wins,
/// which belong together, and what is valid.
/// </summary>
internal sealed record ResolvedContext(KubeconfigEntry Context, KubeconfigEntry Cluster, KubeconfigEntry User)
{
    internal string Name => Context.Name;
    internal Uri Server => ServerOf(Cluster)!;

    /// <summary>Identifies this server without an API request: address and SHA-256 of the CA. Not secret.</summary>
    internal string Endpoint => EndpointOf(Cluster)!;

    /// <summary>The embedded CA of the server as PEM; null if the entry names a file or no CA.</summary>
    internal string? Authority =>
        Cluster.Text("certificate-authority-data") is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null;

    internal bool SkipsTlsVerification => Cluster.Flag("insecure-skip-tls-verify");
    internal string? Command => User.Map("exec")?.Text("command");

    /// <summary>Whether credentials can be renewed when the server rejects the current ones.</summary>
    internal bool HasRenewableCredentials =>
        Command is not null || User.Text("tokenFile") is not null || User.Map("auth-provider") is not null;

    internal string Credentials =>
        Command is { } command ? $"the command '{command}'"
        : User.Map("auth-provider") is not null ? "an auth provider"
        : Either(User, "token", "tokenFile") is not null ? "a token"
        : Either(User, "client-certificate-data", "client-certificate") is not null ? "a client certificate"
        : User.Text("username") is not null ? "a user name and a password" : "nothing (anonymous)";

    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>, with everything that is wrong with the context.</exception>
    internal static ResolvedContext Resolve(KubeconfigDocument document, string name)
    {
        var context = Find(document, name);
        var problems = new List<Problem>();
        var cluster = Linked(context, "cluster", document.Clusters, problems);
        var user = context.Text("user") is null
            ? new KubeconfigEntry("", context.Source, context.Line, [])
            : Linked(context, "user", document.Users, problems);
        if (cluster is not null) problems.AddRange(ProblemsOfCluster(cluster));
        if (user is not null) problems.AddRange(ProblemsOfUser(user));
        return problems.Count == 0 ? new(context, cluster!, user!) : throw new MeshTrustException(Stage.Contexts, problems);
    }

    internal static KubeconfigEntry Find(KubeconfigDocument document, string context)
    {
        if (document.ContextEntries.FirstOrDefault(c => c.Name == context) is { } entry) return entry;
        throw new MeshTrustException(Stage.Contexts, new Problem("MT0206", context,
            $"The kubeconfig has no context '{context}'. {document.ListContexts()}",
            Nearest(document.Contexts, context) is { } near ? $"Did you mean '{near}'?" : "Use one of these."));
    }

    /// <summary>The name that was probably meant: a similar one, or one that contains it, as <c>kind-east</c> holds <c>east</c>.</summary>
    internal static string? Nearest(IReadOnlyList<string> names, string wanted) =>
        NearestName.Find(wanted, names)
        ?? (wanted.Length < 3 ? null : names.FirstOrDefault(n => n.Contains(wanted, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The <see cref="Endpoint"/> of a cluster entry; null if it has no usable server.</summary>
    internal static string? EndpointOf(KubeconfigEntry cluster)
    {
        if (ServerOf(cluster) is not { } server) return null;
        var authority = Either(cluster, "certificate-authority-data", "certificate-authority") ?? "";
        return $"{server.AbsoluteUri.TrimEnd('/')} sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(authority)))}";
    }

    /// <summary>The same with the files that it names embedded, so that it can move to another directory.</summary>
    internal ResolvedContext WithFilesInside(Func<string, byte[]?> readFile, List<Problem> problems) => this with
    {
        Cluster = ClusterWithFilesInside(Cluster, readFile, problems),
        User = UserWithFilesInside(User, readFile, problems),
    };

    internal static KubeconfigEntry ClusterWithFilesInside(
        KubeconfigEntry cluster, Func<string, byte[]?> readFile, List<Problem> problems) =>
        WithFileInside(cluster, "certificate-authority", readFile, problems);

    /// <summary>A token file stays a file, because something else renews it; a relative command path becomes absolute.</summary>
    internal static KubeconfigEntry UserWithFilesInside(KubeconfigEntry user, Func<string, byte[]?> readFile, List<Problem> problems)
    {
        user = WithFileInside(user, "client-certificate", readFile, problems);
        user = WithFileInside(user, "client-key", readFile, problems);
        if (user.Text("tokenFile") is { } token) user = user.With(("tokenFile", user.FullPath(token)));
        var exec = user.Map("exec");
        return exec?.Text("command") is { } command && command.AsSpan().ContainsAny('/', '\\') && !Path.IsPathRooted(command)
            ? user.WithNodes(("exec", exec.With(("command", user.FullPath(command))).Body))
            : user;
    }

    private static KubeconfigEntry WithFileInside(KubeconfigEntry entry, string key, Func<string, byte[]?> readFile, List<Problem> problems)
    {
        // As kubectl: the data wins over the file.
        if (entry.Text(key + "-data") is not null) return entry.With((key, null));
        if (entry.Text(key) is not { } file) return entry;
        var path = entry.FullPath(file);
        if (readFile(path) is { } bytes) return entry.With((key, null), (key + "-data", Convert.ToBase64String(bytes)));
        problems.Add(new Problem("MT0208", entry.LocationOf(key),
            $"'{key}' of '{entry.Name}' points to the file {path}, which does not exist or may not be read.",
            "Restore the file, fix the path, or log in to the cluster again."));
        return entry;
    }

    private static KubeconfigEntry? Linked(
        KubeconfigEntry context, string key, IReadOnlyList<KubeconfigEntry> entries, List<Problem> problems)
    {
        var name = context.Text(key);
        if (entries.FirstOrDefault(e => e.Name == name) is { } entry) return entry;
        var near = Nearest([.. entries.Select(e => e.Name)], name ?? "");
        problems.Add(new Problem("MT0207", context.LocationOf(key),
            $"The context '{context.Name}' {(name is null ? $"has no {key}" : $"refers to the {key} '{name}', which does not exist")}.",
            near is null ? $"Add the {key}, or use another context." : $"Did you mean '{near}'?"));
        return null;
    }

    private static string? Either(KubeconfigEntry entry, string key, string other) => entry.Text(key) ?? entry.Text(other);

    private static Uri? ServerOf(KubeconfigEntry cluster) =>
        Uri.TryCreate(cluster.Text("server"), UriKind.Absolute, out var server) && server is { Scheme: "https" or "http", UserInfo: "" }
            ? server : null;

    private static IEnumerable<Problem> ProblemsOfCluster(KubeconfigEntry cluster)
    {
        if (ServerOf(cluster) is null)
        {
            yield return new("MT0212", cluster.LocationOf("server"),
                $"The cluster '{cluster.Name}' has no usable server address.", "Write 'server: https://host:port'.");
        }

        if (PemProblem(cluster, "certificate-authority-data", "CERTIFICATE") is { } problem) yield return problem;
    }

    private static IEnumerable<Problem> ProblemsOfUser(KubeconfigEntry user)
    {
        if (PemProblem(user, "client-certificate-data", "CERTIFICATE") is { } noCertificate) yield return noCertificate;
        if (PemProblem(user, "client-key-data", "PRIVATE KEY") is { } noKey) yield return noKey;
        var hasCertificate = Either(user, "client-certificate-data", "client-certificate") is not null;
        var hasKey = Either(user, "client-key-data", "client-key") is not null;
        if (hasCertificate != hasKey)
        {
            yield return new("MT0213", user.Location,
                $"The user '{user.Name}' has a client certificate without its key, or a key without its certificate.",
                "Write both 'client-certificate(-data)' and 'client-key(-data)'.");
        }

        if (user.Node("exec") is not null && user.Map("exec")?.Text("command") is null)
        {
            yield return new("MT0203", user.LocationOf("exec"),
                $"'exec' of the user '{user.Name}' has no command.", "Write 'exec:' with 'apiVersion' and 'command' below it.");
        }
    }

    private static Problem? PemProblem(KubeconfigEntry entry, string key, string label) =>
        entry.Text(key) is not { } value || HoldsPem(value, label) ? null : new("MT0211", entry.LocationOf(key),
            $"'{key}' of '{entry.Name}' is not base64-encoded PEM with a {label}.",
            "Copy the value again on one line, or log in to the cluster again.");

    private static bool HoldsPem(string value, string label)
    {
        var buffer = new byte[value.Length];
        try
        {
            if (!Convert.TryFromBase64String(value, buffer, out var length)) return false;
            var text = Encoding.UTF8.GetString(buffer, 0, length);
            return PemEncoding.TryFind(text, out _) && text.Contains(label + "-----", StringComparison.Ordinal);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }
}
