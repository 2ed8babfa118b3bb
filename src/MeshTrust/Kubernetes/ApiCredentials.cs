using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s;
using k8s.KubeConfigModels;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubernetes;

/// <summary>Builds KubernetesClient's configuration for a context: certificates, tokens, exec commands, auth providers.</summary>
internal static class ApiCredentials
{
    internal static KubernetesClientConfiguration Build(ResolvedContext context)
    {
        var endpoint = new ClusterEndpoint
        {
            Server = context.Cluster.Text("server"),
            CertificateAuthorityData = context.Cluster.Text("certificate-authority-data"),
            TlsServerName = context.Cluster.Text("tls-server-name"),
            // KubernetesClient fails without a CA. ServerTrust verifies the server either way.
            SkipTlsVerify = context.SkipsTlsVerification || context.Cluster.Text("certificate-authority-data") is null,
        };
        var configuration = new K8SConfiguration
        {
            ApiVersion = "v1",
            Kind = "Config",
            CurrentContext = context.Name,
            Clusters = [new Cluster { Name = "cluster", ClusterEndpoint = endpoint }],
            Contexts = [new Context { Name = context.Name, ContextDetails = new ContextDetails { Cluster = "cluster", User = "user" } }],
            Users = [new User { Name = "user", UserCredentials = Credentials(context.User) }],
        };
        return KubernetesClientConfiguration.BuildConfigFromConfigObject(configuration, context.Name);
    }

    internal static Problem Unusable(ResolvedContext context) => context.Command is { } command
        ? new Problem("MT3016", context.Name,
            $"The credential command '{command}' of this user could not be started or returned no credentials.",
            "Check that it is installed and on the PATH. Run it manually, log in if it prompts you, then rerun.")
        : new Problem("MT3016", context.Name,
            $"The credentials of the user '{context.User.Name}' cannot be used: certificate and key do not match, or one is damaged.",
            "Check the user's certificate, key or token, or log in to the cluster again.");

    internal static DateTimeOffset? ClientCertificateEnd(KubeconfigEntry user)
    {
        if (user.Text("client-certificate-data") is not { } data) return null;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(data)));
            return new DateTimeOffset(certificate.NotAfter).ToUniversalTime();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static UserCredentials Credentials(KubeconfigEntry user) => new()
    {
        ClientCertificateData = user.Text("client-certificate-data"),
        ClientKeyData = user.Text("client-key-data"),
        Token = user.Text("token") ?? TokenOfFile(user),
        UserName = user.Text("username"),
        Password = user.Text("password"),
        ExternalExecution = user.Map("exec") is { } exec ? Execution(exec) : null,
        AuthProvider = user.Map("auth-provider") is { } provider
            ? new AuthProvider { Name = provider.Text("name"), Config = provider.Map("config") is { } config ? Strings(config.Body) : [] }
            : null,
    };

    private static string? TokenOfFile(KubeconfigEntry user)
    {
        if (user.Text("tokenFile") is not { } file) return null;
        try
        {
            return File.ReadAllText(user.FullPath(file)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT0208", user.LocationOf("tokenFile"),
                $"'tokenFile' of '{user.Name}' points to the file {user.FullPath(file)}, which cannot be read.",
                "Restore the file, or log in to the cluster again."));
        }
    }

    private static ExternalExecution Execution(KubeconfigEntry exec) => new()
    {
        ApiVersion = exec.Text("apiVersion"),
        Command = exec.Text("command"),
        Arguments = exec.Node("args") is YamlSequenceNode args ? [.. args.OfType<YamlScalarNode>().Select(a => a.Text())] : null,
        EnvironmentVariables = exec.Node("env") is YamlSequenceNode env ? [.. env.OfType<YamlMappingNode>().Select(Strings)] : null,
        InstallHint = exec.Text("installHint"),
        ProvideClusterInfo = exec.Flag("provideClusterInfo"),
    };

    private static Dictionary<string, string> Strings(YamlMappingNode map) =>
        map.Children.Where(c => c.Value is YamlScalarNode).ToDictionary(c => c.Key.Text(), c => c.Value.Text());
}

/// <summary>
/// Verifies the server's certificate against the kubeconfig and keeps the reason for a rejection. KubernetesClient's own callback drops
/// the reason, and with a private CA it does not check the server's name.
/// </summary>
internal sealed class ServerTrust(Uri server, X509Certificate2Collection? authorities, bool skip)
{
    /// <summary>Why the last handshake failed; null if it did not.</summary>
    internal ConnectionFault? Rejection { get; private set; }

    internal bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Rejection = skip ? null : Judge(certificate as X509Certificate2, chain, errors);
        return Rejection is null;
    }

    private ConnectionFault? Judge(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null) return new("MT3015", $"{server} presented no certificate", "Check that 'server' is an API server.");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            return new("MT3013", $"The certificate of {server} is valid only for other names: {Names(certificate)}",
                "Use one of these names in 'server', or set 'tls-server-name' in the kubeconfig.");
        }

        if (authorities is null or { Count: 0 })
            return errors == SslPolicyErrors.None ? null : Untrusted(certificate, "is not signed by a CA that this machine trusts");
        using var own = new X509Chain();
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // The CA in a kubeconfig may be an intermediate: as in Go, any of them in a valid chain is enough.
        own.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        own.ChainPolicy.ExtraStore.AddRange(authorities);
        own.ChainPolicy.ExtraStore.AddRange(chain?.ChainElements.Select(e => e.Certificate).ToArray() ?? []);
        if (own.Build(certificate))
        {
            return own.ChainElements.Any(e => authorities.Any(a => HaveSameBytes(a, e.Certificate)))
                ? null : Untrusted(certificate, "is not signed by the CA in the kubeconfig");
        }

        if (!own.ChainStatus.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
            return Untrusted(certificate, "has no valid chain to the CA in the kubeconfig");
        var (start, end) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        return new("MT3014", $"The certificate of {server} is valid only from {start:u} to {end:u}",
            "Check this machine's clock. If it is right, renew the server's certificate.");
    }

    private ConnectionFault Untrusted(X509Certificate2 certificate, string defect) => new("MT3005",
        $"The certificate of {server} (issued by '{certificate.Issuer}') {defect}",
        "Get the cluster's kubeconfig again: the cluster may have been recreated, or something intercepts the connection.");

    private static bool HaveSameBytes(X509Certificate2 one, X509Certificate2 other) =>
        one.RawDataMemory.Span.SequenceEqual(other.RawDataMemory.Span);

    private static string Names(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString()))).Take(8).ToList();
        return names.Count == 0 ? certificate.Subject : string.Join(", ", names);
    }
}
