using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>Plain HTTP requests to an API server, without a client library.</summary>
public sealed class RawApiClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2? _certificate;

    public RawApiClient(ClientCredentials credentials, string? bearer = null)
    {
        _authority = X509Certificate2.CreateFromPem(credentials.AuthorityPem);
        _certificate = credentials.Certificate();
        var handler = new SocketsHttpHandler { UseProxy = false, AutomaticDecompression = DecompressionMethods.All };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { _authority },
        };
        if (_certificate is not null) handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true);
        _http = new HttpClient(handler) { BaseAddress = credentials.Server, Timeout = TimeSpan.FromMinutes(2) };
        if (bearer is not null) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
    }

    public Task<RawResponse> GetAsync(string path, string? accept = null) => SendAsync("GET", path, body: null, contentType: null, accept);

    public Task<RawResponse> PostAsync(string path, JsonNode body) => SendAsync("POST", path, body.ToJsonString());

    public Task<RawResponse> PutAsync(string path, JsonNode body) => SendAsync("PUT", path, body.ToJsonString());

    public Task<RawResponse> DeleteAsync(string path, JsonNode? options = null) => SendAsync("DELETE", path, options?.ToJsonString());

    /// <summary>Server-side apply.</summary>
    public Task<RawResponse> ApplyAsync(string path, JsonNode body, string manager = "a", bool force = false, string query = "") =>
        ApplyAsync(path, body.ToJsonString(), $"fieldManager={manager}&force={(force ? "true" : "false")}{query}");

    public Task<RawResponse> ApplyAsync(string path, string body, string query) => SendAsync("PATCH", $"{path}?{query}", body, "application/apply-patch+yaml");

    /// <summary>Patches; the type is merge, strategic-merge or json.</summary>
    public Task<RawResponse> PatchAsync(string path, string kind, string body, string manager = "patcher") =>
        SendAsync("PATCH", $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}fieldManager={manager}", body, $"application/{kind}-patch+json");

    public async Task<RawResponse> SendAsync(string method, string path, string? body = null, string? contentType = "application/json", string? accept = null)
    {
        using var request = Request(method, path, body, contentType, accept);
        using var response = await _http.SendAsync(request);
        return new RawResponse((int)response.StatusCode, response.Content.Headers.ContentType?.ToString(), await response.Content.ReadAsStringAsync());
    }

    /// <summary>Opens a watch. It returns once the response headers have arrived.</summary>
    public async Task<RawWatch> WatchAsync(string path, string query)
    {
        using var request = Request("GET", $"{path}?watch=true&{query}", body: null, contentType: null, accept: null);
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return new RawWatch(response, await response.Content.ReadAsStreamAsync());
    }

    public void Dispose()
    {
        _http.Dispose();
        _certificate?.Dispose();
        _authority.Dispose();
    }

    private static HttpRequestMessage Request(string method, string path, string? body, string? contentType, string? accept)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        request.Headers.TryAddWithoutValidation("Accept", accept ?? "application/json");
        return request;
    }
}
