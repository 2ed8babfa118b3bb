using System.Text.RegularExpressions;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Pki;

/// <summary>openssl opens the keys that are encrypted here, and the other way round.</summary>
[TestFixture, Category(OutsideTool.Category)]
public sealed partial class EncryptedKeyTests
{
    private const string Passphrase = "pass word ß";

    [TestCase(KeyAlgorithm.Rsa2048)]
    [TestCase(KeyAlgorithm.EcdsaP384)]
    public void Openssl_opens_what_is_encrypted_here(KeyAlgorithm algorithm)
    {
        using var openssl = new OpenSsl();
        var key = TestKeys.Of(algorithm);
        using var passphrase = new RootPassphrase(openssl.Write("pass", Passphrase + "\n"));
        File.WriteAllBytes(openssl.PathOf("key.pem"), EncryptedKeyPem.Write(key, passphrase));
        openssl.Run("pkey", "-in", openssl.PathOf("key.pem"), "-passin", "file:" + openssl.PathOf("pass"), "-pubout", "-outform", "DER", "-out", openssl.PathOf("public.der"));
        Assert.That(File.ReadAllBytes(openssl.PathOf("public.der")), Is.EqualTo(key.SubjectPublicKeyInfo.ToArray()));
        Assert.That(openssl.Run("asn1parse", "-in", openssl.PathOf("key.pem")), Does.Contain(":PBES2").And.Contain(":PBKDF2").And.Contain(":0927C0").And.Contain(":hmacWithSHA256").And.Contain(":aes-256-cbc"));
    }

    [TestCase("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes-256-cbc -pass file:pass -out key.pem")]
    [TestCase("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes-256-cbc -pass file:pass -out key.pem")]
    [TestCase("pkcs8 -topk8 -v2 aes-256-cbc -in rsa.pem -passout file:pass -out key.pem")]
    [TestCase("pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA512 -iter 9999 -in ec.pem -passout file:pass -out key.pem")]
    [TestCase("rsa -aes128 -traditional -in rsa.pem -passout file:pass -out old.pem")]
    [TestCase("ec -aes256 -in ec.pem -passout file:pass -out old.pem")]
    [TestCase("pkcs8 -topk8 -scrypt -in ec.pem -passout file:pass -out old.pem")]
    [TestCase("pkcs8 -topk8 -v1 PBE-SHA1-3DES -in rsa.pem -passout file:pass -out old.pem")]
    public void Opens_what_openssl_encrypts_or_names_the_command_that_converts_it(string make)
    {
        using var openssl = new OpenSsl();
        openssl.Write("pass", Passphrase + "\n");
        // From one file openssl would read two lines.
        openssl.Write("same", Passphrase + "\n");
        Shell("openssl genrsa -out rsa.pem 2048 2>/dev/null; openssl ecparam -name prime256v1 -genkey -noout -out ec.pem");
        Shell("openssl " + make);
        if (make.EndsWith("old.pem", StringComparison.Ordinal))
        {
            Assert.That(EncryptedKeyPem.TryParse("old.pem", File.ReadAllBytes(openssl.PathOf("old.pem")), out var reason), Is.Null);
            Shell(Command().Match(reason!).Groups[1].Value.Replace("pkcs8 ", "pkcs8 -passin file:pass -passout file:same ", StringComparison.Ordinal) + " && mv new.pem key.pem");
        }

        using var passphrase = new RootPassphrase(openssl.PathOf("pass"));
        var key = EncryptedKeyPem.TryParse("key.pem", File.ReadAllBytes(openssl.PathOf("key.pem")), out _)!.Open(passphrase, isRsa: true);
        openssl.Run("pkey", "-in", openssl.PathOf("key.pem"), "-passin", "file:" + openssl.PathOf("pass"), "-pubout", "-outform", "DER", "-out", openssl.PathOf("public.der"));
        Assert.That(key.SubjectPublicKeyInfo.ToArray(), Is.EqualTo(File.ReadAllBytes(openssl.PathOf("public.der"))));

        void Shell(string script)
        {
            var result = OutsideTool.Run("/bin/bash", "-c", $"cd '{openssl.Directory}' && {script}");
            Assert.That(result.ExitCode, Is.Zero, $"{script}\n{result}");
        }
    }

    [GeneratedRegex("`(.*)`")]
    private static partial Regex Command();
}
