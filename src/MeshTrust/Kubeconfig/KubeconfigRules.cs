using System.Security.Cryptography;
using System.Text;
using MeshTrust.IO;

namespace MeshTrust.Kubeconfig;

/// <summary>What client-go refuses in the cluster and the user of a context (tools/clientcmd/validation.go). Pure.</summary>
internal static class KubeconfigRules
{
    private const string LogIn = "Copy the value again on one line, or log in to the cluster again.";
    private const string ExecVersions = "client.authentication.k8s.io/v1";

    internal static IEnumerable<Problem> OfCluster(KubeconfigEntry cluster, Uri? server)
    {
        if (server is null)
        {
            yield return new("MT0212", cluster.LocationOf("server"),
                $"The cluster '{cluster.Name}' has no usable server address.", "Write 'server: https://host:port'.");
        }

        if (cluster.Text("proxy-url") is { } proxy
            && !(Uri.TryCreate(proxy, UriKind.Absolute, out var uri) && uri is { Scheme: "http" or "https" or "socks5", Host.Length: > 0 }))
        {
            yield return new("MT0221", cluster.LocationOf("proxy-url"), $"'proxy-url' of '{cluster.Name}' is not the address of a proxy.",
                "Write http://host:port, https://host:port or socks5://host:port. With socks5 the proxy resolves names, as with socks5h.");
        }

        if (Both(cluster, "certificate-authority-data", "certificate-authority") is { } both) yield return both;
        if (server?.Scheme != Uri.UriSchemeHttps) yield break;
        if (PemProblem(cluster, "certificate-authority-data", "CERTIFICATE") is { } problem) yield return problem;
        var authority = cluster.Text("certificate-authority") is null ? "certificate-authority-data" : "certificate-authority";
        if (cluster.Flag("insecure-skip-tls-verify") && Both(cluster, "insecure-skip-tls-verify", authority) is { } insecure)
            yield return insecure;
    }

    internal static IEnumerable<Problem> OfUser(KubeconfigEntry user, bool isEncrypted)
    {
        var problems = OfCertificate(user).Concat(OfCommand(user, isEncrypted))
            .Append(Both(user, "token", "username")).Append(Both(user, "token", "password"))
            .Append(Both(user, "exec", "auth-provider"));
        foreach (var problem in problems.OfType<Problem>()) yield return problem;
        string[] needsAs = ["as-uid", "as-groups", "as-user-extra"];
        if (user.Text("as") is null && needsAs.FirstOrDefault(key => user.Has(key)) is { } lone)
        {
            yield return new("MT0213", user.LocationOf(lone), $"'{lone}' of '{user.Name}' has no effect without 'as'.",
                "Add 'as' with the name of the user to impersonate, or remove it.");
        }

        var extra = user.Map("as-user-extra");
        IEnumerable<(string Key, string? Text)> sent =
        [
            ("token", isEncrypted ? user.Text("token") : null), ("as", user.Text("as")), ("as-uid", user.Text("as-uid")),
            .. user.Texts("as-groups").Select(group => ("as-groups", group)),
            .. extra?.Body.Children.Keys.SelectMany(key => extra.Texts(key.Text())).Select(value => ("as-user-extra", value)) ?? [],
        ];
        if (sent.FirstOrDefault(s => s.Text?.Any(c => char.IsControl(c) && c != '\t') == true).Key is { } broken)
        {
            yield return new("MT0211", user.LocationOf(broken),
                $"'{broken}' of '{user.Name}' contains a line break or a control character.",
                "Write the value on one line, without '|' before it; a token may also be in a 'tokenFile'.");
        }

        if (!isEncrypted) yield break;
        if (Both(user, "tokenFile", "username") is { } file) yield return file;
        if (user.Map("auth-provider") is { } provider && OfProvider(user, provider) is { } gone) yield return gone;
        if (ResolvedContext.IsAnonymous(user))
        {
            yield return new("MT0224", user.Location,
                user.Name.Length == 0 ? "The context has no user and so no credentials." : $"The user '{user.Name}' has no credentials.",
                "Log in to the cluster, or add a token, a client certificate or a credential command to the user.");
        }
    }

    private static IEnumerable<Problem?> OfCertificate(KubeconfigEntry user)
    {
        if (!ResolvedContext.HasCertificate(user)) yield break;
        yield return Both(user, "client-certificate-data", "client-certificate");
        yield return Both(user, "client-key-data", "client-key");
        yield return PemProblem(user, "client-certificate-data", "CERTIFICATE");
        yield return PemProblem(user, "client-key-data", "PRIVATE KEY");
        if (ResolvedContext.Either(user, "client-key-data", "client-key") is null)
        {
            yield return new("MT0213", user.Location, $"The user '{user.Name}' has a client certificate without its key.",
                "Write both 'client-certificate(-data)' and 'client-key(-data)'.");
        }
    }

    private static IEnumerable<Problem?> OfCommand(KubeconfigEntry user, bool isEncrypted)
    {
        if (user.Map("exec") is not { } exec) yield break;
        foreach (var key in (string[])["command", "apiVersion"])
        {
            if (exec.Text(key) is null)
                yield return Exec($"has no '{key}'", "Write 'exec:' with 'apiVersion' and 'command' below it.");
        }

        var version = exec.Text("apiVersion");
        if (isEncrypted && version is not (null or ExecVersions or ExecVersions + "beta1"))
        {
            yield return Exec("has an apiVersion that Kubernetes no longer supports",
                $"Update the program and log in again, so that it writes {ExecVersions}.", "MT0223");
        }

        var mode = exec.Text("interactiveMode");
        var mayLack = version is ExecVersions + "beta1" or ExecVersions + "alpha1";
        if (mode is not ("Never" or "IfAvailable" or "Always") && !(mode is null && mayLack))
            yield return Exec("has no valid 'interactiveMode'", "Write 'interactiveMode: IfAvailable', or Never or Always.");

        if (exec.Maps("env").Any(e => e.Text("name") is null))
            yield return Exec("has a variable without a name in 'env'", "Write '- name: ...' with 'value: ...'.");

        Problem Exec(string what, string hint, string id = "MT0203") =>
            new(id, user.LocationOf("exec"), $"'exec' of the user '{user.Name}' {what}.", hint);
    }

    private static Problem? OfProvider(KubeconfigEntry user, KubeconfigEntry provider)
    {
        var (name, config) = (provider.Text("name"), provider.Map("config"));
        var (what, hint) = name switch
        {
            "oidc" when config?.Text("idp-issuer-url") is null || config.Text("client-id") is null => (
                "lacks 'idp-issuer-url' or 'client-id'",
                "Log in again, or use the credential command kubelogin (https://github.com/int128/kubelogin)."),
            "oidc" => ("", ""),
            "gcp" => ("was removed from Kubernetes",
                "Install gke-gcloud-auth-plugin, then run: gcloud container clusters get-credentials CLUSTER --location=LOCATION"),
            "azure" => ("was removed from Kubernetes",
                "Install kubelogin (https://github.com/Azure/kubelogin), then run: kubelogin convert-kubeconfig"),
            _ => ("is unknown to Kubernetes", "Log in again with a program that writes a credential command ('exec')."),
        };
        return what.Length == 0 ? null
            : new("MT0223", user.LocationOf("auth-provider"), $"The auth-provider '{name}' of the user '{user.Name}' {what}.", hint);
    }

    private static Problem? Both(KubeconfigEntry entry, string one, string other) => !entry.Has(one) || !entry.Has(other) ? null
        : new("MT0222", entry.LocationOf(one),
            $"'{entry.Name}' has both '{one}' and '{other}', which kubectl rejects.", "Remove one of them.");

    private static Problem? PemProblem(KubeconfigEntry entry, string key, string label) =>
        entry.Text(key) is not { } value || HoldsPem(value, label) ? null
            : new("MT0211", entry.LocationOf(key), $"'{key}' of '{entry.Name}' is not base64-encoded PEM with a {label}.", LogIn);

    internal static bool HoldsPem(string value, string label)
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
