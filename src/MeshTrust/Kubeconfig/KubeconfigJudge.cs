using System.Security.Cryptography;
using System.Text;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>Judges what one context leads to: its cluster, its user, and what they say.</summary>
internal sealed record KubeconfigJudge(KubeconfigEntry Context, KubeconfigEntry Cluster, KubeconfigEntry User)
{
    internal static KubeconfigEntry Find(KubeconfigDocument document, string context)
    {
        if (document.ContextEntries.FirstOrDefault(c => c.Name == context) is { } entry) return entry;
        throw new MeshTrustException(Stage.Contexts, new Problem("MT0206", context,
            $"There is no context '{context}' in the kubeconfig. {KnownContexts.Describe(document)}",
            KnownContexts.Nearest(document.Contexts, context) is { } near ? $"Did you mean '{near}'?" : "Name one of these."));
    }

    internal static KubeconfigJudge Judge(KubeconfigDocument document, string name)
    {
        var context = Find(document, name);
        var problems = new List<Problem>();
        var cluster = Linked(context, "cluster", document.Clusters, problems);
        var user = Linked(context, "user", document.Users, problems);
        if (cluster is not null) JudgeCluster(cluster, problems);
        if (user is not null) JudgeUser(user, problems);
        return problems.Count == 0 ? new(context, cluster!, user!) : throw new MeshTrustException(Stage.Contexts, problems);
    }

    internal KubeconfigContext Describe()
    {
        var server = new Uri(Cluster.Text("server")!);
        var command = ExecCommand(User);
        return new KubeconfigContext
        {
            Name = Context.Name,
            Server = server,
            Authority = Cluster.Text("certificate-authority-data") is { } data ? Encoding.UTF8.GetString(Convert.FromBase64String(data)) : null,
            Endpoint = EndpointOf(Cluster)!,
            Command = command,
            SkipsTlsVerification = Cluster.Flag("insecure-skip-tls-verify"),
            Credentials = command is not null ? $"the command '{command}'"
                : User.Node("auth-provider") is YamlMappingNode ? "an auth provider"
                : User.Text("token") is not null || User.Text("tokenFile") is not null ? "a token"
                : User.Text("client-certificate-data") is not null || User.Text("client-certificate") is not null ? "a client certificate"
                : User.Text("username") is not null ? "a user name and a password" : "nothing (anonymous)",
        };
    }

    /// <summary>Where a cluster entry leads (<see cref="KubeconfigContext.Endpoint"/>); null where it has no usable server.</summary>
    internal static string? EndpointOf(KubeconfigEntry cluster)
    {
        if (ServerOf(cluster) is not { } server) return null;
        var authority = cluster.Text("certificate-authority-data") ?? cluster.Text("certificate-authority") ?? "";
        return $"{server.AbsoluteUri.TrimEnd('/')} sha256:{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(authority)))}";
    }

    internal static string? ExecCommand(KubeconfigEntry user) =>
        user.Node("exec") is YamlMappingNode exec ? new KubeconfigEntry("", user.Source, user.Line, exec).Text("command") : null;

    private static KubeconfigEntry? Linked(KubeconfigEntry context, string key, IReadOnlyList<KubeconfigEntry> entries, List<Problem> problems)
    {
        var name = context.Text(key);
        if (name is null && key == "user") return new KubeconfigEntry("", context.Source, context.Line, new YamlMappingNode());
        if (entries.FirstOrDefault(e => e.Name == name) is { } entry) return entry;
        problems.Add(New("MT0207", context.PlaceOf(key),
            name is null ? $"The context '{context.Name}' names no {key}." : $"The context '{context.Name}' names the {key} '{name}', which is not there.",
            KnownContexts.Nearest([.. entries.Select(e => e.Name)], name ?? "") is { } near ? $"Did you mean '{near}'?" : $"Add the {key}, or take another context."));
        return null;
    }

    private static Uri? ServerOf(KubeconfigEntry cluster) =>
        Uri.TryCreate(cluster.Text("server"), UriKind.Absolute, out var server) && server.Scheme is ("https" or "http") && server.UserInfo.Length == 0 ? server : null;

    private static void JudgeCluster(KubeconfigEntry cluster, List<Problem> problems)
    {
        if (ServerOf(cluster) is null)
            problems.Add(New("MT0212", cluster.PlaceOf("server"), $"The cluster '{cluster.Name}' has no usable server address.", "Write 'server: https://host:port'."));
        JudgePem(cluster, "certificate-authority-data", "CERTIFICATE", problems);
    }

    private static void JudgeUser(KubeconfigEntry user, List<Problem> problems)
    {
        JudgePem(user, "client-certificate-data", "CERTIFICATE", problems);
        JudgePem(user, "client-key-data", "PRIVATE KEY", problems);
        var hasCertificate = (user.Text("client-certificate-data") ?? user.Text("client-certificate")) is not null;
        var hasKey = (user.Text("client-key-data") ?? user.Text("client-key")) is not null;
        if (hasCertificate != hasKey)
            problems.Add(New("MT0213", user.Location, $"The user '{user.Name}' has a client certificate without its key, or the reverse.", "Write both 'client-certificate(-data)' and 'client-key(-data)'."));
        if (user.Node("exec") is { } exec && (exec is not YamlMappingNode || ExecCommand(user) is null))
            problems.Add(New("MT0203", user.PlaceOf("exec"), $"'exec' of the user '{user.Name}' names no command.", "Write 'exec:' with 'apiVersion' and 'command' below it."));
    }

    private static void JudgePem(KubeconfigEntry entry, string key, string label, List<Problem> problems)
    {
        if (entry.Text(key) is not { } value) return;
        var buffer = new byte[value.Length];
        var sound = Convert.TryFromBase64String(value, buffer, out var length)
            && PemEncoding.TryFind(Encoding.UTF8.GetString(buffer, 0, length), out _)
            && Encoding.UTF8.GetString(buffer, 0, length).Contains(label + "-----", StringComparison.Ordinal);
        CryptographicOperations.ZeroMemory(buffer);
        if (!sound) problems.Add(New("MT0211", entry.PlaceOf(key), $"'{key}' of '{entry.Name}' is no base64 of a PEM text with a {label} in it.", "Copy the value again, on one line; or log in to the cluster again."));
    }

    private static Problem New(string id, string place, string what, string remedy) => new(id, place, what, remedy);
}
