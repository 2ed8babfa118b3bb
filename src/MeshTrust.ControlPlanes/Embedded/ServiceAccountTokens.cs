using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Tokens of service accounts: JSON Web Tokens (ES256), signed by the cluster's CA key. They end with their time, with the account or
/// with the secret that they are bound to.
/// </summary>
internal sealed class ServiceAccountTokens(X509Certificate2 ca, ObjectStore store, TimeProvider clock)
{
    public const string SecretType = "kubernetes.io/service-account-token";
    public const string AccountAnnotation = "kubernetes.io/service-account.name";
    private const string Issuer = "https://kubernetes.default.svc.cluster.local";
    private const string Claims = "kubernetes.io";
    private const int Shortest = 600;
    private const int Usual = 3600;

    /// <summary>The service account that a secret names.</summary>
    public static string? AccountOf(JsonObject secret) =>
        secret["metadata"]?["annotations"]?[AccountAnnotation]?.ToString() is { Length: > 0 } name ? name : null;

    public static IReadOnlyList<string> Texts(JsonNode? list) => [.. (list as JsonArray ?? []).Select(v => v?.ToString() ?? string.Empty)];

    /// <summary>Answers a TokenRequest.</summary>
    public JsonObject Issue(ObjectKey key, JsonObject request)
    {
        var account = store.Find(key) ?? throw ApiFault.NotFound(key.Kind, key.Name);
        var spec = request["spec"] as JsonObject ?? [];
        var seconds = spec["expirationSeconds"] is JsonValue v && v.TryGetValue<long>(out var given) ? given : Usual;
        var why = seconds < Shortest ? "may not specify a duration less than 10 minutes"
            : seconds > 1L << 32 ? "may not specify a duration larger than 2^32 seconds" : null;
        if (why is not null)
        {
            throw ApiFault.Invalid(Review.TokenRequest.Kind, string.Empty,
                [new("spec.expirationSeconds", "FieldValueInvalid", $"Invalid value: {seconds}: {why}")], Review.TokenRequest.Group);
        }

        var now = clock.GetUtcNow();
        var audiences = Texts(spec["audiences"]) is { Count: > 0 } wanted ? wanted : [Issuer];
        var identity = new JsonObject { ["namespace"] = key.Namespace, ["serviceaccount"] = NameAndUid(account) };
        if (spec["boundObjectRef"] is JsonObject bound) identity["secret"] = NameAndUid(SecretOf(key, bound));
        var token = Sign(new JsonObject
        {
            ["aud"] = ApiJson.Texts(audiences),
            ["exp"] = now.ToUnixTimeSeconds() + seconds,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["iss"] = Issuer,
            ["jti"] = Guid.NewGuid().ToString(),
            [Claims] = identity,
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["sub"] = Caller.ServiceAccount(key.Namespace, key.Name, null).Name,
        });
        spec["audiences"] = ApiJson.Texts(audiences);
        spec["expirationSeconds"] = seconds;
        var status = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Text.Time(now.AddSeconds(seconds)) };
        return Review.TokenRequest.Of(spec, status);
    }

    /// <summary>Answers a TokenReview.</summary>
    public JsonObject Answer(JsonObject spec) => Verify(spec["token"]?.ToString() ?? string.Empty, Texts(spec["audiences"])) switch
    {
        var (caller, audiences) => new()
        {
            ["authenticated"] = true, ["user"] = caller.ToJson(), ["audiences"] = ApiJson.Texts(audiences),
        },
        _ => new() { ["user"] = new JsonObject(), ["error"] = "[invalid bearer token]" },
    };

    /// <summary>
    /// Whose token it is, and for which of the audiences; without audiences it must be for this server. Null if it is not valid.
    /// </summary>
    public (Caller Caller, IReadOnlyList<string> Audiences)? Verify(string token, IReadOnlyList<string> audiences)
    {
        if (token.Split('.') is not [var header, var payload, var signature]) return null;
        try
        {
            using var key = ca.GetECDsaPublicKey()!;
            var content = Encoding.ASCII.GetBytes($"{header}.{payload}");
            if (!key.VerifyData(content, Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256)) return null;
            var claims = JsonNode.Parse(Base64Url.DecodeFromChars(payload))!;
            var now = clock.GetUtcNow().ToUnixTimeSeconds();
            if (now < claims["nbf"]!.GetValue<long>() || now >= claims["exp"]!.GetValue<long>()) return null;
            var accepted = Texts(claims["aud"]).Intersect(audiences.Count > 0 ? audiences : [Issuer]).ToList();
            var space = claims[Claims]!["namespace"]!.ToString();
            if (accepted.Count == 0 || !Exists(ObjectKind.ServiceAccount, claims[Claims]!["serviceaccount"]!)) return null;
            if (claims[Claims]!["secret"] is { } secret && !Exists(ObjectKind.Secret, secret)) return null;
            var account = claims[Claims]!["serviceaccount"]!;
            return (Caller.ServiceAccount(space, account["name"]!.ToString(), account["uid"]!.ToString()), accepted);

            bool Exists(ObjectKind kind, JsonNode named) =>
                store.Find(new ObjectKey(kind, space, named["name"]!.ToString()))?.TextAt("metadata.uid") == named["uid"]!.ToString();
        }
        catch (Exception e) when (e is FormatException or JsonException or NullReferenceException or InvalidOperationException)
        {
            return null;
        }
    }

    private StoredObject SecretOf(ObjectKey account, JsonObject bound)
    {
        var kind = ObjectKind.Secret;
        if (bound["kind"]?.ToString() != kind.Kind)
            throw ApiFault.BadRequest($"cannot bind token for serviceaccount \"{account.Name}\" to a {bound["kind"]}: use a Secret");
        var name = bound["name"]?.ToString() ?? string.Empty;
        var secret = store.Find(new ObjectKey(kind, account.Namespace, name)) ?? throw ApiFault.NotFound(kind, name);
        if (bound["uid"]?.ToString() is not { Length: > 0 } uid || uid == secret.TextAt("metadata.uid")) return secret;
        throw ApiFault.Conflict(kind, name, $"the UID in the bound object reference ({uid}) does not match the UID in record");
    }

    private string Sign(JsonObject claims)
    {
        using var key = ca.GetECDsaPrivateKey()!;
        var content = $"{Encode(new() { ["alg"] = "ES256", ["kid"] = ca.Thumbprint, ["typ"] = "JWT" })}.{Encode(claims)}";
        return $"{content}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256))}";

        static string Encode(JsonObject part) => Base64Url.EncodeToString(ApiJson.ToUtf8(part));
    }

    private static JsonObject NameAndUid(StoredObject item) => new() { ["name"] = item.Name, ["uid"] = item.TextAt("metadata.uid") };
}
