using System.Text.RegularExpressions;
using MeshTrust.Pki;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Pki;

/// <summary>Files that users supply instead of PEM, written by the usual programs: each format is named, and the command in the message converts it.</summary>
[TestFixture, Category(OutsideTool.Category)]
[Platform(Exclude = "Win", Reason = "the commands are for a POSIX shell")]
public sealed partial class FileFormTests
{
    private const string Certificate = "cert.pem";
    private const string Key = "key.pem";
    private const string Stem = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /O=Acme/CN=Root -keyout key.pem -out cert.pem 2>/dev/null";
    private const string Pfx = "openssl pkcs12 -export -in cert.pem -inkey key.pem -passout pass:secret -out p12";
    private static string Secret(string format) =>
        "c=$(base64 -w0 cert.pem); k=$(base64 -w0 key.pem); " + (format == "json"
            ? """printf '{"apiVersion": "v1", "data": {"ca-cert.pem": "%s", "ca-key.pem": "%s"}, "kind": "Secret"}' $c $k > f"""
            : """printf 'apiVersion: v1\ndata:\n  ca-cert.pem: %s\n  ca-key.pem: %s\nkind: Secret\nmetadata:\n  annotations:\n    x: |\n      {"data":{"ca-cert.pem":"%s","ca-key.pem":"%s"}}\n' $c $k $c $k > f""");

    private static IEnumerable<TestCaseData> Forms()
    {
        foreach (var isKey in new[] { false, true })
        {
            var source = isKey ? Key : Certificate;
            yield return Form("base64 twice", isKey, $"base64 {source} > f", "base64 of PEM, encoded once too often");
            yield return Form("base64 twice, on one line", isKey, $"base64 -w0 {source} > f", "base64 of PEM, encoded once too often");
            yield return Form("base64 three times", isKey, $"base64 {source} | base64 > f", "base64 of base64 of PEM");
            yield return Form("DER in base64", isKey, $"grep -v -- ----- {source} > f", isKey ? "base64 of a private key in DER form" : "base64 of a certificate in DER form");
            yield return Form(@"literal \n", isKey, $@"awk '{{printf ""%s\\n"",$0}}' {source} > f", @"the two characters \n instead of line breaks");
            yield return Form(@"literal \r\n in quotes", isKey, $@"(printf '""'; awk '{{printf ""%s\\r\\n"",$0}}' {source}; printf '""\n') > f", @"the two characters \n");
            yield return Form("one long line with spaces", isKey, $"tr '\\n' ' ' < {source} > f", "on one long line");
            yield return Form("one long line without spaces", isKey, $"tr -d '\\n' < {source} > f", "on one long line");
            yield return Form("indented", isKey, $"sed 's/^/    /' {source} > f", "indented");
            yield return Form("JSON of Vault", isKey, """(printf '{"data": {"value": "'; awk '{printf "%s\\n",$0}' SOURCE; printf '", "expiration": 1}}\n') > f""".Replace("SOURCE", source), @"the two characters \n");
            yield return Form("UTF-16 with a mark", isKey, $"iconv -f UTF-8 -t UTF-16 {source} > f", "UTF-16 text");
            yield return Form("UTF-16LE", isKey, $"iconv -f UTF-8 -t UTF-16LE {source} > f", "UTF-16 text");
            yield return Form("UTF-16BE", isKey, $"iconv -f UTF-8 -t UTF-16BE {source} > f", "UTF-16 text");
            yield return Form("UTF-8 with a mark", isKey, $"(printf '\\357\\273\\277'; cat {source}) > f", "byte order mark");
            yield return Form("gzip", isKey, $"gzip -c {source} > f", "gzip");
            yield return Form("PKCS#12", isKey, $"{Pfx}; mv p12 f", "PKCS#12");
            yield return Form("PKCS#12 in base64", isKey, $"{Pfx}; base64 p12 > f", "base64 of PKCS#12");
            yield return Form("a secret in YAML", isKey, Secret("yaml"), "Kubernetes secret");
            yield return Form("a secret in JSON", isKey, Secret("json"), "Kubernetes secret");
        }

        yield return Form("DER", false, "openssl x509 -in cert.pem -outform DER -out f", "a certificate in DER form");
        yield return Form("PKCS#7", false, "openssl crl2pkcs7 -nocrl -certfile cert.pem -out f", "PKCS#7");
        yield return Form("PKCS#7 in DER", false, "openssl crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out f", "PKCS#7 in DER form");
        yield return Form("TRUSTED CERTIFICATE", false, "openssl x509 -in cert.pem -trustout -out f", "TRUSTED CERTIFICATE");
        yield return Form("PKCS#8 in DER", true, "openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out f", "a private key in DER form");
        yield return Form("SEC1 in DER", true, "openssl ec -in key.pem -outform DER -out f", "a private key in DER form");
        yield return Form("PKCS#1 in DER", true, "openssl genrsa 2048 2>/dev/null | openssl rsa -traditional -outform DER -out f 2>/dev/null; openssl pkey -inform DER -in f -out key.pem; openssl req -x509 -key key.pem -subj /CN=x -out cert.pem", "a private key in DER form");
        yield return Form("encrypted PKCS#8", true, "openssl pkcs8 -topk8 -in key.pem -passout pass:secret -out f", "an encrypted private key");
        yield return Form("encrypted PKCS#8 in DER", true, "openssl pkcs8 -topk8 -in key.pem -passout pass:secret -outform DER -out f", "an encrypted private key in DER form");
        yield return Form("encrypted in the old form", true, "openssl ec -in key.pem -aes128 -passout pass:secret -out f", "an encrypted private key");
        yield return Form("EC PARAMETERS", true, "(openssl ecparam -name prime256v1; openssl ec -in key.pem) > f 2>/dev/null", "EC PARAMETERS");
        yield return Form("OpenSSH", true, "cp key.pem f; chmod 600 f; openssl ec -in key.pem -out f 2>/dev/null; ssh-keygen -p -N '' -f f", "an OpenSSH private key");
    }

    private static TestCaseData Form(string name, bool isKey, string make, string what) =>
        new TestCaseData(isKey, make, what).SetArgDisplayNames(name, isKey ? "key" : "certificate");

    [TestCaseSource(nameof(Forms))]
    public void Names_the_form_and_the_command_that_converts_it(bool isKey, string make, string what)
    {
        using var openssl = new OpenSsl();
        Shell(openssl, $"{Stem} && {make}");
        var form = PemDocument.Parse("f", File.ReadAllBytes(openssl.PathOf("f")), isKey).Form;
        Assert.That(form, Does.Contain(what).And.Contain("This converts it"));
        var command = Command().Match(form!).Groups[1].Value;
        Shell(openssl, Encrypted().Replace(command, "$0 -passin pass:secret"));
        var certificate = openssl.Read(Certificate);
        if (isKey)
        {
            Assert.That(PrivateKeyPem.TryParse("new.pem", File.ReadAllBytes(openssl.PathOf("new.pem")), out var key, out var reason), Is.True, reason);
            Assert.That(key!.Matches(certificate), Is.True);
            Assert.That(StoreFixture.ModeOf(openssl.PathOf("new.pem")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
        else
        {
            Assert.That(openssl.Read("new.pem"), Is.EqualTo(certificate));
            Assert.That(openssl.Run("x509", "-in", openssl.PathOf("new.pem")), Is.EqualTo(certificate.ToPem()), "openssl reads it too");
        }
    }

    [TestCase(false, "openssl req -new -key key.pem -subj /CN=x -out f", "certificate request")]
    [TestCase(false, "openssl req -new -key key.pem -subj /CN=x -outform DER -out f", "certificate request")]
    [TestCase(true, "openssl pkey -in key.pem -pubout -out f", "a public key")]
    [TestCase(true, "openssl pkey -in key.pem -pubout -outform DER -out f", "a public key")]
    [TestCase(true, "ssh-keygen -q -t ed25519 -N '' -f k; mv k.pub f", "an SSH public key")]
    [TestCase(true, "cp cert.pem f", "a certificate. The files")]
    [TestCase(false, "cp key.pem f", "a private key. The files")]
    [TestCase(true, "openssl x509 -in cert.pem -outform DER -out f", "a certificate. The files")]
    [TestCase(false, "openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out f", "a private key. The files")]
    [TestCase(false, "openssl pkcs12 -export -in cert.pem -inkey key.pem -passout pass:secret -out p.p12; keytool -importkeystore -srckeystore p.p12 -srcstorepass secret -destkeystore f -deststoretype JKS -deststorepass secret >/dev/null 2>&1", "a Java keystore (JKS)")]
    [TestCase(false, "printf '<!DOCTYPE html>\\n<html>login</html>' > f", "a web page")]
    [TestCase(false, ": > f", "empty")]
    [TestCase(true, "printf '\\n \\n' > f", "empty")]
    [TestCase(false, "head -c 700 /dev/zero > f", "zero bytes")]
    [TestCase(true, "printf -- '-----BEGIN PGP PRIVATE KEY BLOCK-----\\nVersion: 1\\n\\nabcd\\n=abcd\\n-----END PGP PRIVATE KEY BLOCK-----\\n' > f", "PGP")]
    [TestCase(false, "sed 's/-----/--/g' cert.pem > f", "five dashes")]
    public void Names_what_no_command_converts(bool isKey, string make, string what)
    {
        using var openssl = new OpenSsl();
        Shell(openssl, $"{Stem} && {make}");
        Assert.That(PemDocument.Parse("f", File.ReadAllBytes(openssl.PathOf("f")), isKey).Form, Does.Contain(what));
    }

    /// <summary>What every parser reads is not reported.</summary>
    [TestCase("sed 's/$/\\r/' cert.pem > f")]
    [TestCase("sed 's/$/  /' cert.pem > f")]
    [TestCase("openssl x509 -in cert.pem -text > f")]
    [TestCase("printf '%s' \"$(cat cert.pem)\" > f")]
    [TestCase("(head -n1 cert.pem; grep -v -- ----- cert.pem | tr -d '\\n'; echo; tail -n1 cert.pem) > f")]
    public void Accepts_unusual_but_valid_files(string make)
    {
        using var openssl = new OpenSsl();
        Shell(openssl, $"{Stem} && {make}");
        var document = PemDocument.Parse("f", File.ReadAllBytes(openssl.PathOf("f")));
        Assert.That((document.Form, document.Defects, document.Certificates), Is.EqualTo(((string?)null, Array.Empty<string>(), new[] { openssl.Read(Certificate) })));
        openssl.Run("x509", "-in", openssl.PathOf("f"), "-noout");
    }

    private static readonly string[] Odd = ["ed25519", "ed448", "rsa:1024", "rsa:8192", "rsa:2048", "P-521", "secp256k1", "dsa"];

    [TestCaseSource(nameof(Odd))]
    public void RootCa_and_Verify_agree_on_the_type_of_key(string type)
    {
        using var openssl = new OpenSsl();
        var newKey = type switch
        {
            "dsa" => "openssl dsaparam -genkey -out key.pem 2048 2>/dev/null && openssl req -x509 -key key.pem",
            _ when type.Contains(':') || type.StartsWith("ed", StringComparison.Ordinal) => $"openssl req -x509 -newkey {type} -nodes -keyout key.pem",
            _ => $"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:{type} -nodes -keyout key.pem",
        };
        Shell(openssl, $"{newKey} -subj /O=Acme/CN=Root -addext keyUsage=critical,keyCertSign -out cert.pem 2>/dev/null && openssl pkcs8 -topk8 -nocrypt -in key.pem -out k8.pem");
        var isGood = type is "rsa:8192" or "rsa:2048";
        var certificate = openssl.Read(Certificate);
        Assert.That(certificate.Key.IsAccepted, Is.EqualTo(isGood), certificate.PublicKey);
        var take = () => RootCa.FromFiles("cert.pem", File.ReadAllBytes(openssl.PathOf(Certificate)), "key.pem", File.ReadAllBytes(openssl.PathOf("k8.pem")));
        if (isGood) Assert.That(take(), Has.Property("Certificate").EqualTo(certificate));
        else
        {
            var problem = Assert.Throws<MeshTrustException>(() => take())!.Problems.Single();
            Assert.That((problem.Id, problem.Message), Is.EqualTo(("MT5111", PublicKeyInfo.Refusal(certificate.PublicKey))));
        }
    }

    private static void Shell(OpenSsl openssl, string script)
    {
        var result = OutsideTool.Run("/bin/bash", "-c", $"cd '{openssl.Directory}' && {script}");
        Assert.That(result.ExitCode, Is.Zero, $"{script}\n{result}");
    }

    [GeneratedRegex("`(.*)`")]
    private static partial Regex Command();

    /// <summary>Formats that need a password.</summary>
    [GeneratedRegex("openssl (pkcs12|pkcs8|pkey)")]
    private static partial Regex Encrypted();
}
