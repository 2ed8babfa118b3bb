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
    internal bool IsEncrypted => Server.Scheme == Uri.UriSchemeHttps;

    /// <summary>The command that provides the credentials: as in client-go, only if the user has no other.</summary>
    internal KubeconfigEntry? Exec =>
        Either(User, "token", "tokenFile") is null && User.Text("username") is null && !HasCertificate(User) ? User.Map("exec") : null;

    /// <summary>Whether credentials can be renewed when the server rejects the current ones.</summary>
    internal bool HasRenewableCredentials => Exec is not null || User.Text("tokenFile") is not null;

    /// <summary>Whether it impersonates a user with several groups, or several values of an extra attribute.</summary>
    internal bool RepeatsHeaders => User.Text("as") is not null && (User.Texts("as-groups").Count > 1
        || User.Map("as-user-extra") is { } extra && extra.Body.Children.Keys.Any(key => extra.Texts(key.Text()).Count > 1));

    internal string Credentials => !IsEncrypted
        ? $"nothing{(IsAnonymous(User) ? " (anonymous)" : ": over http, which is not encrypted, no credentials are sent")}"
        : CredentialsOf(User);

    private string CredentialsOf(KubeconfigEntry user) =>
        Exec?.Text("command") is { } command ? $"the command '{command}'"
        : Either(user, "token", "tokenFile") is not null ? "a token"
        : HasCertificate(user) ? "a client certificate"
        : user.Text("username") is not null ? "a user name and a password" : "an auth provider";

    /// <summary>The warning that a server without TLS gets no credentials, as with kubectl; null if there are none to send.</summary>
    internal Problem? NotSent => IsEncrypted || IsAnonymous(User) ? null : Named(new Problem("MT3023", Cluster.LocationOf("server"),
        $"The server {Server.AbsoluteUri.TrimEnd('/')} is not encrypted, so {CredentialsOf(User)} is not sent to it",
        "If the server requires credentials, use its https:// address.", Severity.Warning));

    /// <summary>The problem with the names of the user's own context, user and file.</summary>
    internal Problem Named(Problem problem) => Named(problem, Context);

    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>, with everything that is wrong with the context.</exception>
    internal static ResolvedContext Resolve(KubeconfigDocument document, string name)
    {
        var context = Find(document, name);
        var problems = new List<Problem>();
        var cluster = Linked(context, "cluster", document.Clusters, problems);
        var isEncrypted = cluster is not null && ServerOf(cluster)?.Scheme == Uri.UriSchemeHttps;
        // As kubectl: a server without TLS gets no credentials, so the user may be missing.
        var user = context.Text("user") is null || !isEncrypted && document.Users.All(u => u.Name != context.Text("user"))
            ? new KubeconfigEntry("", context.Source, context.Line, [])
            : Linked(context, "user", document.Users, problems);
        if (cluster is not null) problems.AddRange(KubeconfigRules.OfCluster(cluster, ServerOf(cluster)));
        if (user is not null) problems.AddRange(KubeconfigRules.OfUser(user, isEncrypted));
        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, [.. problems.Select(p => Named(p, context))]);
        return new(context, cluster!, user!);
    }

    private static Problem Named(Problem problem, KubeconfigEntry context)
    {
        var file = problem.Location.StartsWith(context.Source + ":", StringComparison.Ordinal) ? "" : $" of {context.Source}";
        var user = context.Text("user") is { } name ? $"user '{name}'" : "no user";
        var text = problem.Message.TrimEnd('.');
        var before = text.EndsWith(')') ? text[..^1] + ", " : text + " (";
        return problem with { Message = $"{before}context '{context.Name}'{file}, {user})." };
    }

    internal static bool HasCertificate(KubeconfigEntry user) => Either(user, "client-certificate-data", "client-certificate") is not null;

    /// <summary>Whether kubectl would have to prompt for credentials.</summary>
    internal static bool IsAnonymous(KubeconfigEntry user) =>
        Either(user, "token", "tokenFile") is null && user.Text("username") is null && !HasCertificate(user)
        && user.Map("exec") is null && user.Map("auth-provider") is null;

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
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: a file is missing or unusable.</exception>
    internal ResolvedContext WithFilesInside(Func<string, byte[]?> readFile)
    {
        var problems = new List<Problem>();
        var whole = this with
        {
            Cluster = ClusterWithFilesInside(Cluster, readFile, problems),
            User = UserWithFilesInside(User, readFile, problems),
        };
        return problems.Count == 0 ? whole : throw new MeshTrustException(Stage.Contexts, [.. problems.Select(Named)]);
    }

    internal static KubeconfigEntry ClusterWithFilesInside(
        KubeconfigEntry cluster, Func<string, byte[]?> readFile, List<Problem> problems) =>
        WithFileInside(cluster, "certificate-authority", readFile, problems);

    /// <summary>A token file stays a file, because something else renews it; a relative command path becomes absolute.</summary>
    internal static KubeconfigEntry UserWithFilesInside(KubeconfigEntry user, Func<string, byte[]?> readFile, List<Problem> problems)
    {
        // As kubectl: a key without a certificate does not matter.
        if (HasCertificate(user))
            user = WithFileInside(WithFileInside(user, "client-certificate", readFile, problems), "client-key", readFile, problems);
        if (user.Text("tokenFile") is { } token) user = user.With(("tokenFile", user.FullPath(token)));
        var exec = user.Map("exec");
        return exec?.Text("command") is { } command && command.Contains(Path.DirectorySeparatorChar) && !Path.IsPathRooted(command)
            ? user.WithNodes(("exec", exec.With(("command", user.FullPath(command))).Body))
            : user;
    }

    private static KubeconfigEntry WithFileInside(KubeconfigEntry entry, string key, Func<string, byte[]?> readFile, List<Problem> problems)
    {
        if (entry.Text(key) is not { } file) return entry;
        var path = entry.FullPath(file);
        if (readFile(path) is { } bytes)
        {
            var (data, label) = (Convert.ToBase64String(bytes), key == "client-key" ? "PRIVATE KEY" : "CERTIFICATE");
            if (!KubeconfigRules.HoldsPem(data, label))
            {
                problems.Add(new Problem("MT0211", entry.LocationOf(key),
                    $"'{key}' of '{entry.Name}' points to the file {path}, which contains no PEM {label}.",
                    "Restore the file, fix the path, or log in to the cluster again."));
            }

            return entry.With((key, null), (key + "-data", data));
        }

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

    internal static string? Either(KubeconfigEntry entry, string key, string other) => entry.Text(key) ?? entry.Text(other);

    /// <summary>As client-go: without a scheme it is plain HTTP, and a query is dropped.</summary>
    private static Uri? ServerOf(KubeconfigEntry cluster)
    {
        if (cluster.Text("server") is not { } text) return null;
        var hasScheme = text.Contains("://", StringComparison.Ordinal);
        return Uri.TryCreate(hasScheme ? text : "http://" + text, UriKind.Absolute, out var server)
            && server is { Scheme: "https" or "http", UserInfo: "" } && (hasScheme || server.AbsolutePath == "/")
            ? new Uri(server.GetLeftPart(UriPartial.Path)) : null;
    }
}
