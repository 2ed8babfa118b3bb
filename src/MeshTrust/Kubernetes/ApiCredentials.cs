using System.Buffers.Text;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Kubernetes;

/// <summary>What authenticates requests: a header, a client certificate, or both. Its ToString shows neither.</summary>
internal sealed record ApiCredential(string? Authorization, SslStreamCertificateContext? Certificate, DateTimeOffset? Expires = null)
{
    public override string ToString() => $"credential until {Expires?.ToString("u") ?? "revoked"}";
}

/// <summary>The credentials of a context with client-go's precedence: a command is called only if the user has nothing else.</summary>
internal static class ApiCredentials
{
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: there are none that can be used.</exception>
    internal static async Task<ApiCredential> ReadAsync(
        ResolvedContext context, ApiCredential? rejected, ClusterApiSettings settings, CancellationToken cancellationToken)
    {
        // As in client-go: a server without TLS gets no credentials.
        if (!context.IsEncrypted) return new(null, null);
        if (context.Exec is not null)
            return await ExecPlugin.CredentialAsync(context, rejected, settings, cancellationToken).ConfigureAwait(false);
        var user = context.User;
        var header = Token(context) is { } token ? "Bearer " + token
            : user.Text("username") is { } name ? Basic(name, user.Text("password"))
            : user.Map("auth-provider") is not null ? "Bearer " + IdToken(context, settings.Time.GetUtcNow()) : null;
        return new(header, ResolvedContext.HasCertificate(user) ? Certificate(context) : null);
    }

    internal static string Basic(string name, string? password) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}"));

    /// <exception cref="CryptographicException">They do not belong together, or one is damaged.</exception>
    internal static SslStreamCertificateContext Certificate(string certificates, string key)
    {
        using var leaf = X509Certificate2.CreateFromPem(certificates, key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        chain.RemoveAt(0);
        // Windows cannot use a key that exists only in memory.
        var usable = OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null) : new(leaf);
        return SslStreamCertificateContext.Create(usable, chain, offline: true);
    }

    internal static DateTimeOffset? ClientCertificateEnd(KubeconfigEntry user)
    {
        if (user.Text("client-certificate-data") is not { } data) return null;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(Decode(data));
            return new DateTimeOffset(certificate.NotAfter).ToUniversalTime();
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static SslStreamCertificateContext Certificate(ResolvedContext context)
    {
        var user = context.User;
        try
        {
            return Certificate(Decode(user.Text("client-certificate-data")!), Decode(user.Text("client-key-data")!));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw Unusable(context, user.Location,
                $"The credentials of the user '{user.Name}' cannot be used: certificate and key do not match, "
                + "or one is damaged or encrypted.",
                "Check the user's certificate and key, or log in to the cluster again.");
        }
    }

    internal static MeshTrustException Unusable(ResolvedContext context, string location, string what, string hint, string id = "MT3016") =>
        new(Stage.Contexts, context.Named(new Problem(id, location, what, hint)));

    /// <summary>As client-go: the file wins over the value, if it can be read.</summary>
    private static string? Token(ResolvedContext context)
    {
        var (user, value) = (context.User, context.User.Text("token"));
        if (user.Text("tokenFile") is not { } file) return value;
        var path = user.FullPath(file);
        try
        {
            if (File.ReadAllText(path).Trim() is { Length: > 0 } token) return token;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (value is not null) return value;
            throw Unusable(context, user.LocationOf("tokenFile"),
                $"'tokenFile' of '{user.Name}' points to the file {path}, which cannot be read.",
                "Restore the file, or log in to the cluster again.", "MT0208");
        }

        return value ?? throw Unusable(context, user.LocationOf("tokenFile"),
            $"'tokenFile' of '{user.Name}' points to the file {path}, which is empty.", "Log in to the cluster again.", "MT0208");
    }

    /// <summary>The token of the auth-provider oidc while it is valid. kubectl renews it, in the user's file.</summary>
    private static string IdToken(ResolvedContext context, DateTimeOffset now)
    {
        var provider = context.User.Map("auth-provider")!;
        var token = provider.Map("config")?.Text("id-token");
        var defect = "has no 'id-token'";
        if (token is not null && ExpiryOf(token) is { } end)
        {
            if (end > now.AddSeconds(10)) return token;
            defect = $"has an 'id-token' that expired on {end:yyyy-MM-dd'T'HH:mm:ss'Z'}";
        }
        else if (token is not null) defect = "has an 'id-token' that is not a JSON Web Token";

        throw Unusable(context, context.User.LocationOf("auth-provider"),
            $"The auth-provider 'oidc' of the user '{context.User.Name}' {defect}.",
            $"Renew it: kubectl --kubeconfig '{context.Context.Source}' --context '{context.Name}' version. "
            + "If that fails, log in again, or use the credential command kubelogin (https://github.com/int128/kubelogin).");
    }

    private static DateTimeOffset? ExpiryOf(string token)
    {
        try
        {
            if (token.Split('.') is not [_, var claims, _]) return null;
            using var json = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            return DateTimeOffset.FromUnixTimeSeconds((long)json.RootElement.GetProperty("exp").GetDouble());
        }
        catch (Exception e) when (
            e is FormatException or JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            return null;
        }
    }

    private static string Decode(string data) => Encoding.UTF8.GetString(Convert.FromBase64String(data));
}

/// <summary>
/// Verifies the server's certificate against the kubeconfig and keeps the reason for a rejection.
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
            return new(ProblemCodes.ServerNamedOtherwise,
                $"The certificate of {server} is valid only for other names: {Names(certificate)}",
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
        return new(ProblemCodes.ServerCertificateExpired, $"The certificate of {server} is valid only from {start:u} to {end:u}",
            "Check this machine's clock. If it is right, renew the server's certificate.");
    }

    private ConnectionFault Untrusted(X509Certificate2 certificate, string defect) => new(
        ProblemCodes.ServerUntrusted,
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
