using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshTrust.Pki;
using MeshTrust.Tests.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Live;

/// <summary>Trust stores and user-supplied roots that a run must reject and never repair by itself.</summary>
internal static class BrokenTrustStores
{
    private const string Cert = "certs/root-cert.pem";
    private const string Key = "certs/root-key.pem";
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    /// <summary>A valid root with one cluster, issued once: relative path and content.</summary>
    private static readonly Lazy<IReadOnlyDictionary<string, byte[]>> Sound = new(() => Task.Run(async () =>
    {
        using var scratch = new ScratchDirectory();
        var store = new TrustStore(scratch.File("certs"));
        var topology = new MeshTopology { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }], Trust = StoreFixture.QuickTrust() };
        await RootCaIssuer.EnsureAsync(store, topology.Trust, new KeyPool(), TimeProvider.System);
        await IntermediateCaIssuer.EnsureAsync(store, topology, new KeyPool(), TimeProvider.System);
        return (IReadOnlyDictionary<string, byte[]>)Directory.EnumerateFiles(store.Location, "*.pem", SearchOption.AllDirectories)
            .ToDictionary(file => Path.GetRelativePath(scratch.Location, file).Replace('\\', '/'), File.ReadAllBytes);
    }).GetAwaiter().GetResult());

    public static IEnumerable<BrokenRun> All => [.. Roots, .. Authorities, .. Options, .. Brought, .. Clusters, .. Places];

    private static IEnumerable<BrokenRun> Roots =>
    [
        Store("root key is missing and a cluster needs it", "MT5101", s => { File.Delete(s.File(Key)); File.Delete(s.File("certs/east/ca-key.pem")); }),
        Store("root certificate is missing", "MT5101", s => File.Delete(s.File(Cert))),
        Edit("root certificate is empty", "MT5102", Cert, _ => ""),
        Edit("root certificate is prose", "MT5102", Cert, _ => "this is the root\n"),
        Edit("root certificate is cut off", "MT5102", Cert, t => t[..(t.Length / 2)]),
        Edit("root certificate has a byte order mark", "MT5102", Cert, t => "\ufeff" + t),
        Edit("root certificate is duplicated", "MT5102", Cert, t => t + t),
        Edit("root certificate is glued to itself", "MT5102", Cert, t => t.TrimEnd() + t),
        Edit("root certificate has another label", "MT5102", Cert, t => t.Replace("CERTIFICATE", "CERT", StringComparison.Ordinal)),
        Edit("root certificate has text between blocks", "MT5102", Cert, t => t + "and again\n" + t),
        Edit("root certificate has bad base64", "MT5102", Cert, t => t.Insert(100, "!")),
        Edit("root certificate lost a line", "MT5102", Cert, t => string.Join('\n', t.Split('\n').Where((_, i) => i != 3))),
        Edit("root certificate is a key", "MT5102", Cert, _ => Text(Key)),
        Edit("root certificate has a byte changed", "MT5102,MT5105", Cert, t => FlipByte(t, 300)),
        Store("root certificate is DER", "MT5102", s => File.WriteAllBytes(s.File(Cert), PemDocument.Parse("c", Sound.Value[Cert]).Blocks[0].Der.ToArray())),
        Store("root certificate is zeros", "MT5102", s => File.WriteAllBytes(s.File(Cert), new byte[2000])),
        Edit("root key is empty", "MT5103", Key, _ => ""),
        Edit("root key is prose", "MT5103", Key, _ => "secret\n"),
        Edit("root key is cut off", "MT5103", Key, t => t[..(t.Length / 2)]),
        Edit("root key is a certificate", "MT5103", Key, _ => Text(Cert)),
        Edit("root key is duplicated", "MT5103", Key, t => t + t),
        Edit("root key has parameters before it", "MT5103", Key, t => "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + t),
        Edit("root key has a byte order mark", "MT5103", Key, t => "\ufeff" + t),
        Edit("root key has bad base64", "MT5103", Key, t => t.Insert(60, "?")),
        Edit("root key is public", "MT5103", Key, _ => TestKey(1).ExportSubjectPublicKeyInfoPem() + "\n"),
        Edit("root key has a passphrase in the old form", "MT5103", Key, t => t.Replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", StringComparison.Ordinal)),
        Store("root key has a passphrase and a cluster needs it", "MT5142", s =>
        {
            s.Write(Key, TestKey(1).ExportEncryptedPkcs8PrivateKeyPem("x", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1)) + "\n");
            File.Delete(s.File("certs/east/ca-key.pem"));
        }),
        Edit("root key is another's", "MT5104", Key, _ => TestKey(2).ExportPkcs8PrivateKeyPem() + "\n"),
        Edit("root key is the cluster's", "MT5104", Key, _ => Text("certs/east/ca-key.pem")),
        Store("root files are exchanged", "MT5102", s => { s.Write(Cert, Text(Key)); s.Write(Key, Text(Cert)); }),
    ];

    private static IEnumerable<BrokenRun> Authorities =>
    [
        Authority("root is not a CA", "MT5105", new() { IsCa = false }),
        Authority("root has no basic constraints", "MT5105", new() { HasConstraints = false }),
        Authority("root may not sign certificates", "MT5105", new() { Usage = X509KeyUsageFlags.DigitalSignature }),
        Authority("root allows no intermediate", "MT5105", new() { PathLength = 0 }),
        Authority("root has expired", "MT5106", new() { NotBefore = Now.AddDays(-30), NotAfter = Now.AddDays(-1) }),
        Authority("root is not yet valid", "MT5106", new() { NotBefore = Now.AddDays(1) }),
    ];

    private static IEnumerable<BrokenRun> Options =>
    [
        .. new[] { "--rootca-cn=Another", "--rootca-org=Another", "--rootca-keysz=p384", "--rootca-keysz=2048", "--rootca-days=30" }
            .Select(option => Store($"root was made without {option}", "MT5107", _ => { }, [.. Arguments("RootCa").Where(a => !a.StartsWith("--rootca-keysz", StringComparison.Ordinal) || !option.StartsWith("--rootca-keysz", StringComparison.Ordinal)), option])),
    ];

    private static IEnumerable<BrokenRun> Brought =>
    [
        Bring("the user-supplied certificate is missing", "MT5109", s => s.Write("root.key", TestKey(1).ExportPkcs8PrivateKeyPem())),
        Bring("the user-supplied key is missing", "MT5109", s => s.Write("root.pem", Certificate(TestKey(1), new()))),
        Bring("another root is in the store", "MT5110", s => { Lay(s); Pair(s, TestKey(1), new()); }),
        Bring("the user-supplied pair does not match", "MT5104", s => { Pair(s, TestKey(1), new()); s.Write("root.key", TestKey(2).ExportPkcs8PrivateKeyPem()); }),
        Bring("the user-supplied root has expired", "MT5106", s => Pair(s, TestKey(1), new() { NotBefore = Now.AddDays(-9), NotAfter = Now.AddDays(-8) })),
        Bring("the user-supplied root is not a CA", "MT5105", s => Pair(s, TestKey(1), new() { IsCa = false })),
        Bring("the user-supplied root is an intermediate", "MT5108", s => { s.Write("root.pem", System.Text.Encoding.ASCII.GetString(Sound.Value["certs/east/ca-cert.pem"])); s.Write("root.key", Text("certs/east/ca-key.pem")); }),
        Bring("the user-supplied root has P-521", "MT5111", s => { using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521); Pair(s, key, new()); }),
        Bring("the user-supplied files are prose", "MT5102", s => { s.Write("root.pem", "hello"); s.Write("root.key", "hello"); }),
    ];

    private static IEnumerable<BrokenRun> Clusters =>
    [
        Store("there is no root", "MT5116", s => Directory.Delete(s.File("certs"), true), ["--exclusive", .. Arguments("ClusterCacerts")]),
        .. new[] { ("ca-cert.pem", "prose"), ("ca-key.pem", "prose"), ("cert-chain.pem", "prose"), ("root-cert.pem", "prose"), ("ca-cert.pem", ""), ("ca-key.pem", "") }
            .Select(f => Push($"the cluster's {f.Item1} is '{f.Item2}'", "MT5112", s => s.Write("certs/east/" + f.Item1, f.Item2))),
        Push("the cluster has no key", "MT5112,MT5113", s => File.Delete(s.File("certs/east/ca-key.pem"))),
        Push("the cluster has no files", "MT5113", s => Directory.Delete(s.File("certs/east"), true)),
        Push("the cluster's key is another's", "MT5112", s => s.Write("certs/east/ca-key.pem", TestKey(3).ExportPkcs8PrivateKeyPem() + "\n")),
        Push("the cluster's chain is in reverse", "MT5112", s => s.Write("certs/east/cert-chain.pem", Text(Cert) + Text("certs/east/ca-cert.pem"))),
        Push("the cluster's root is another", "MT5112", s => s.Write("certs/east/root-cert.pem", Certificate(TestKey(1), new()))),
    ];

    private static IEnumerable<BrokenRun> Places =>
    [
        Location("trust store is a file", s => s.Write("certs", "mine")),
        Location("root certificate is a directory", s => Directory.CreateDirectory(s.File(Cert))),
        Location("root key is a directory", s => { Lay(s); File.Delete(s.File(Key)); Directory.CreateDirectory(s.File(Key)); }),
        Location("root certificate is a dangling link", s => { Directory.CreateDirectory(s.File("certs")); File.CreateSymbolicLink(s.File(Cert), s.File("unmounted")); }),
        Location("root certificate is larger than any", s => { Lay(s); File.WriteAllBytes(s.File(Cert), new byte[3 << 20]); }),
        Location("cluster's directory is a file", s => { Lay(s); Directory.Delete(s.File("certs/east"), true); s.Write("certs/east", "mine"); }),
    ];

    private static string[] Arguments(string target) =>
        ["--target=" + target, "--work-dir=mesh", "--certs-dir=certs", "--cluster-names=east", "--provider=embedded", "--rootca-keysz=p256", "--intermediate-keysz=p256"];

    private static BrokenRun Store(string name, string ids, Action<ScratchDirectory> change, IReadOnlyList<string>? arguments = null) => new(name, 7, ids.Split(','))
    {
        Arguments = arguments ?? Arguments("ClusterCacerts"),
        Files = scratch => { Lay(scratch); change(scratch); },
    };

    private static BrokenRun Edit(string name, string ids, string file, Func<string, string> change) => Store(name, ids, scratch => scratch.Write(file, change(Text(file))));

    private static BrokenRun Authority(string name, string id, Shape shape) => Store(name, id, scratch =>
    {
        scratch.Write(Cert, Certificate(TestKey(1), shape));
        scratch.Write(Key, TestKey(1).ExportPkcs8PrivateKeyPem() + "\n");
    });

    private static BrokenRun Bring(string name, string id, Action<ScratchDirectory> files) => new(name, 7, id)
    {
        Arguments = ["--target=RootCa", "--work-dir=mesh", "--certs-dir=certs", "--rootca-cert=root.pem", "--rootca-key=root.key"],
        Files = files,
    };

    private static BrokenRun Push(string name, string ids, Action<ScratchDirectory> change) =>
        Store(name, ids, change, ["--exclusive", .. Arguments("PushSecrets")]) with { ExitCode = 8 };

    private static BrokenRun Location(string name, Action<ScratchDirectory> files) => new(name, 7, "MT1003") { Arguments = Arguments("ClusterCacerts"), Files = files };

    private static void Lay(ScratchDirectory scratch)
    {
        foreach (var (path, content) in Sound.Value)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(scratch.File(path))!);
            File.WriteAllBytes(scratch.File(path), content);
        }
    }

    private static string Text(string file) => System.Text.Encoding.ASCII.GetString(Sound.Value[file]);

    private static void Pair(ScratchDirectory scratch, ECDsa key, Shape shape)
    {
        scratch.Write("root.pem", Certificate(key, shape));
        scratch.Write("root.key", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static ECDsa TestKey(int number) => Keys.GetOrAdd(number, _ => ECDsa.Create(ECCurve.NamedCurves.nistP256));

    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, ECDsa> Keys = new();

    private static string Certificate(ECDsa key, Shape shape)
    {
        var request = new CertificateRequest("O=Istio, CN=Root CA", key, HashAlgorithmName.SHA256);
        if (shape.HasConstraints) request.CertificateExtensions.Add(new X509BasicConstraintsExtension(shape.IsCa, shape.PathLength is not null, shape.PathLength ?? 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(shape.Usage, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(shape.NotBefore, shape.NotAfter);
        return certificate.ExportCertificatePem() + "\n";
    }

    private static string FlipByte(string pem, int at)
    {
        var der = PemDocument.Parse("c", System.Text.Encoding.ASCII.GetBytes(pem)).Blocks[0].Der.ToArray();
        der[at] ^= 0x55;
        return PemEncoding.WriteString("CERTIFICATE", der) + "\n";
    }

    private sealed record Shape
    {
        public bool HasConstraints { get; init; } = true;
        public bool IsCa { get; init; } = true;
        public int? PathLength { get; init; }
        public X509KeyUsageFlags Usage { get; init; } = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign;
        public DateTimeOffset NotBefore { get; init; } = Now.AddDays(-1);
        public DateTimeOffset NotAfter { get; init; } = Now.AddDays(3000);
    }
}
