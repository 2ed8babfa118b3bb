using System.Text;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class PemDocumentTests
{
    private static readonly CertificateDocument Certificate =
        new CertificateIssuer(TimeProvider.System).IssueRoot(CertificateProfile.ForRoot(TrustSpec.Default.Root), TestKeys.Of(KeyAlgorithm.EcdsaP256)).Certificate;

    private static readonly string Pem = Certificate.ToPem();

    private static PemDocument Parse(string text) => PemDocument.Parse("file.pem", Encoding.UTF8.GetBytes(text));

    private static IEnumerable<TestCaseData> Fine()
    {
        yield return new TestCaseData(Pem, 1).SetArgDisplayNames("one");
        yield return new TestCaseData(Pem + Pem, 2).SetArgDisplayNames("two");
        yield return new TestCaseData(Pem + "\n\n" + Pem, 2).SetArgDisplayNames("blank lines between");
        yield return new TestCaseData(Pem.TrimEnd(), 1).SetArgDisplayNames("no line break at the end");
        yield return new TestCaseData(Pem.Replace("\n", "\r\n") + Pem, 2).SetArgDisplayNames("CRLF");
        yield return new TestCaseData("Certificate:\n    Data:\nsubject=O = Istio\n" + Pem, 1).SetArgDisplayNames("a text in front");
    }

    [TestCaseSource(nameof(Fine))]
    public void Accepts_what_every_parser_accepts(string text, int count)
    {
        var document = Parse(text);
        Assert.That(document.Defects, Is.Empty);
        Assert.That(document.Certificates, Is.All.EqualTo(Certificate).And.Exactly(count).Items);
    }

    internal static IEnumerable<TestCaseData> Sloppy()
    {
        yield return new TestCaseData("\uFEFF" + Pem, "byte order mark").SetArgDisplayNames("BOM");
        yield return new TestCaseData(Pem.TrimEnd() + Pem, "no line break between").SetArgDisplayNames("glued");
        yield return new TestCaseData(Pem.Replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "TRUSTED CERTIFICATE").SetArgDisplayNames("trusted certificate");
        yield return new TestCaseData(Pem.Replace("CERTIFICATE", "EC PARAMETERS"), "EC PARAMETERS").SetArgDisplayNames("EC parameters");
        yield return new TestCaseData("-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n" + Pem, "line 1 is not a valid certificate").SetArgDisplayNames("garbage in front");
        yield return new TestCaseData(Pem + "text\n" + Pem, "text between or after").SetArgDisplayNames("text between");
        yield return new TestCaseData(Pem + "text\n", "text between or after").SetArgDisplayNames("text after");
        yield return new TestCaseData(Pem[..^30], "never closed").SetArgDisplayNames("cut off");
        yield return new TestCaseData(Pem[..200] + "\n" + Pem, "not closed before").SetArgDisplayNames("begun again");
        yield return new TestCaseData(Pem[(Pem.IndexOf('\n') + 1)..], "never began").SetArgDisplayNames("beginning lost");
        yield return new TestCaseData(Pem.Replace("END CERTIFICATE", "END X509 CRL"), "begins as 'CERTIFICATE' and ends as").SetArgDisplayNames("ends as another");
        yield return new TestCaseData(Pem.Replace("M", "*"), "not base64").SetArgDisplayNames("no base64");
        yield return new TestCaseData("-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "not complete base64").SetArgDisplayNames("odd base64");
        yield return new TestCaseData("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "is empty").SetArgDisplayNames("empty block");
        yield return new TestCaseData(" " + Pem, "lines are indented").SetArgDisplayNames("indented");
        yield return new TestCaseData("", "file is empty").SetArgDisplayNames("empty");
        yield return new TestCaseData("hello\n", "no PEM block").SetArgDisplayNames("no block");
    }

    [TestCaseSource(nameof(Sloppy))]
    public void Reports_what_some_parser_would_reject_or_misread(string text, string defect) =>
        Assert.That(Parse(text).Defects, Has.Some.Contains(defect));

    [Test]
    public void Reports_many_lines_of_text_once()
    {
        var document = Parse(Pem + string.Concat(Enumerable.Repeat("text\n", 89)) + Pem + "text\n");
        Assert.That(document.Defects, Is.EqualTo(new[] { document.StrayText }));
        Assert.That(document.StrayText, Does.StartWith("90 lines are text").And.Contain($"the first is line {Pem.Count(c => c == '\n') + 1}"));
    }

    [Test]
    public void Reads_two_blocks_without_a_line_break_between_them() => Assert.That(Parse(Pem.TrimEnd() + Pem).Certificates, Has.Count.EqualTo(2));

    [Test]
    public void Writes_one_line_break_after_each_block()
    {
        var text = Encoding.ASCII.GetString(PemDocument.Write([Certificate, Certificate]));
        Assert.That(text, Is.EqualTo(Pem + Pem));
        Assert.That(text, Does.EndWith("-----END CERTIFICATE-----\n"));
        Assert.That(text.Split('\n').Max(l => l.Length), Is.EqualTo(64));
    }

    [Test]
    public void Reports_line_numbers()
    {
        var lines = Pem.Count(c => c == '\n');
        Assert.That(Parse("x\n" + Pem + Pem).Blocks.Select(b => b.Line), Is.EqualTo(new[] { 2, 2 + lines }));
    }

    [Test]
    public void Never_throws_for_any_bytes()
    {
        var seed = Encoding.UTF8.GetBytes("\uFEFFtext\r\n" + Pem + Pem.TrimEnd() + Pem + "-----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n");
        byte[][] tokens = [.. new[] { "-----BEGIN ", "-----END ", "-----", "\n", "\r", "\0", "CERTIFICATE", "=", "PRIVATE KEY-----\n" }.Select(Encoding.ASCII.GetBytes)];
        var random = new Random(20260822);
        var defective = 0;
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = seed[random.Next(seed.Length)..].ToList();
            for (var n = random.Next(1, 6); n > 0 && bytes.Count > 0; n--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(3))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveRange(at, Math.Min(random.Next(40), bytes.Count - at)); break;
                    default: bytes.InsertRange(at, tokens[random.Next(tokens.Length)]); break;
                }
            }

            var document = PemDocument.Parse("fuzz", bytes.ToArray());
            if (document.Defects.Count > 0) defective++;
            PrivateKeyPem.TryParse("fuzz", bytes.ToArray(), out _, out _);
        }

        Assert.That(defective, Is.GreaterThan(9_000));
    }
}
