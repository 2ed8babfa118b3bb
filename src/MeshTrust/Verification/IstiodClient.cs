using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>
/// The certificate service of one istiod (istio security/proto/istioca.proto), asked as a workload asks it: over TLS, with a service
/// account's token. The token is sent only to a server whose certificate verifies with the roots that workloads there hold.
/// </summary>
internal sealed class IstiodClient : IDisposable
{
    internal const int Port = 15012;
    private static readonly TimeSpan Validity = TimeSpan.FromHours(1);

    private static readonly Method<string, IReadOnlyList<string>> CreateCertificate = new(
        MethodType.Unary, "istio.v1.auth.IstioCertificateService", "CreateCertificate",
        Marshallers.Create<string>(WriteRequest, _ => throw new NotSupportedException()),
        Marshallers.Create<IReadOnlyList<string>>(_ => throw new NotSupportedException(), ReadResponse));

    private readonly SocketsHttpHandler _handler;
    private readonly GrpcChannel _channel;
    private readonly TimeSpan _patience;

    /// <param name="connection">An open connection to port 15012.</param>
    /// <param name="names">The DNS names that istiod's certificate may have; the first is requested.</param>
    /// <param name="roots">The roots that workloads of its cluster hold.</param>
    /// <param name="at">When its certificate has to be valid.</param>
    /// <param name="patience">How long one answer may take.</param>
    public IstiodClient(
        Stream connection, IReadOnlyList<string> names, IReadOnlyList<CertificateDocument> roots, DateTimeOffset at, TimeSpan patience)
    {
        _patience = patience;
        _handler = new SocketsHttpHandler
        {
            ConnectCallback = ForwardedPort.Once(connection),
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, chain, _) => Accept(certificate, chain, names, roots, at),
            },
        };
        _channel = GrpcChannel.ForAddress($"https://{names[0]}:{Port}", new GrpcChannelOptions { HttpHandler = _handler });
    }

    /// <summary>The chain that istiod served, its own certificate first; empty before the first request.</summary>
    public IReadOnlyList<CertificateDocument> Served { get; private set; } = [];

    /// <summary>Why workloads reject istiod's certificate; null if they accept it.</summary>
    public string? ServedFault { get; private set; }

    /// <summary>Requests a certificate.</summary>
    /// <param name="token">A service account's token for the audience <c>istio-ca</c>.</param>
    /// <param name="cluster">The cluster that the token is from; null for istiod's own.</param>
    /// <param name="spiffeId">The identity of the service account.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>The chain with the leaf first, and the leaf's key; or why there is none, as a sentence.</returns>
    public async Task<(IssuedCertificate? Issued, string? Fault)> RequestAsync(
        string token, string? cluster, string spiffeId, CancellationToken cancellationToken)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var headers = new Metadata { { "authorization", $"Bearer {token}" } };
        if (cluster is not null) headers.Add("clusterid", cluster);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_patience);
        try
        {
            var options = new CallOptions(headers, cancellationToken: deadline.Token);
            using var call = _channel.CreateCallInvoker().AsyncUnaryCall(CreateCertificate, null, options, SigningRequest(key, spiffeId));
            var pem = string.Concat(await call.ResponseAsync.ConfigureAwait(false));
            var document = PemDocument.Parse("the issued chain", Encoding.UTF8.GetBytes(pem));
            var isOurs = document.Certificates is [var first, ..] && first.Key.Der.Span.SequenceEqual(key.ExportSubjectPublicKeyInfo());
            if (isOurs) return (new IssuedCertificate(document.Certificates[0], [.. document.Certificates.Skip(1)], key), null);
            key.Dispose();
            return (null, document.Certificates.Count == 0 ? "Its answer contains no readable certificate."
                : "Its answer is a certificate for another key than the one in the request.");
        }
        catch (RpcException fault)
        {
            key.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            return (null, Explain(fault, cluster));
        }
    }

    public void Dispose()
    {
        _channel.Dispose();
        _handler.Dispose();
    }

    private string Explain(RpcException fault, string? cluster) => fault.StatusCode switch
    {
        _ when ServedFault is { } rejected => $"Its own certificate is rejected: {rejected}.",
        StatusCode.Unauthenticated when cluster is null =>
            "It rejected the service account's token (Unauthenticated): it may expect another audience than istio-ca.",
        StatusCode.Unauthenticated => $"It rejected a token of '{cluster}' (Unauthenticated): it has no remote secret with the key "
            + $"'{cluster}', or may not review tokens there.",
        StatusCode.Cancelled => $"It did not answer within {_patience.TotalSeconds:0.#} s.",
        StatusCode.Unimplemented => "It has no certificate service: another CA signs for this mesh.",
        var code => $"It did not issue a certificate ({code}).",
    };

    private bool Accept(
        X509Certificate? certificate, X509Chain? chain, IReadOnlyList<string> names, IReadOnlyList<CertificateDocument> roots,
        DateTimeOffset at)
    {
        var sent = new List<CertificateDocument>();
        foreach (var one in (chain?.ChainPolicy.ExtraStore ?? []).Prepend(certificate).OfType<X509Certificate>())
        {
            if (CertificateDocument.TryFromDer(one.GetRawCertData(), out var document, out _) && !sent.Contains(document))
                sent.Add(document);
        }

        Served = sent;
        ServedFault = sent is not [var leaf, .. var rest] ? "it is missing or cannot be read"
            : at > leaf.NotAfter ? $"it expired at {leaf.NotAfter:u}"
            : CertificationPath.Fault(leaf, rest, roots, at)
                ?? (leaf.DnsNames.Intersect(names).Any() ? null : $"it is not valid for {string.Join(" or ", names)}");
        return ServedFault is null;
    }

    private static string SigningRequest(ECDsa key, string spiffeId)
    {
        var request = new CertificateRequest(new X500DistinguishedName(""), key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(spiffeId));
        request.CertificateExtensions.Add(names.Build(critical: true));
        return request.CreateSigningRequestPem();
    }

    /// <summary>IstioCertificateRequest: csr = 1, validity_duration = 3 in seconds.</summary>
    private static byte[] WriteRequest(string signingRequest)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString(signingRequest);
            output.WriteTag(3, WireFormat.WireType.Varint);
            output.WriteInt64((long)Validity.TotalSeconds);
        }

        return bytes.ToArray();
    }

    /// <summary>IstioCertificateResponse: cert_chain = 1, repeated.</summary>
    private static List<string> ReadResponse(byte[] bytes)
    {
        var chain = new List<string>();
        var input = new CodedInputStream(bytes);
        while (input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagFieldNumber(tag) == 1) chain.Add(input.ReadString());
            else input.SkipLastField();
        }

        return chain;
    }
}

/// <summary>A certificate that istiod issued, with its key, in memory only.</summary>
internal sealed class IssuedCertificate(CertificateDocument leaf, IReadOnlyList<CertificateDocument> chain, ECDsa key) : IDisposable
{
    public CertificateDocument Leaf => leaf;

    /// <summary>The rest of the answer: intermediates and roots, in its order.</summary>
    public IReadOnlyList<CertificateDocument> Chain => chain;

    /// <summary>The certificate with its key, for SslStream. The caller disposes it.</summary>
    /// <exception cref="CryptographicException">The certificate is for another key.</exception>
    public X509Certificate2 ToCertificateWithKey()
    {
        using var certificate = X509CertificateLoader.LoadCertificate(leaf.Der.Span);
        return certificate.CopyWithPrivateKey(key);
    }

    public void Dispose() => key.Dispose();

    /// <summary>The certificate; never the key.</summary>
    public override string ToString() => leaf.ToString();
}
