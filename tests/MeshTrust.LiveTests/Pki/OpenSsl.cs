using System.Text;
using MeshTrust.Pki;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Pki;

/// <summary>openssl in its own directory: it issues certificates to read, and checks MeshTrust's.</summary>
internal sealed class OpenSsl : IDisposable
{
    private readonly string _openssl = OutsideTool.Find("openssl");

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("meshtrust-openssl-").FullName;

    public string PathOf(string file) => Path.Combine(Directory, file);

    public string Write(string file, string text)
    {
        File.WriteAllText(PathOf(file), text);
        return PathOf(file);
    }

    public string Run(params string[] arguments)
    {
        var result = OutsideTool.Run(_openssl, arguments);
        Assert.That(result.ExitCode, Is.Zero, $"openssl {string.Join(' ', arguments)}: {result}");
        return result.Output;
    }

    public ToolResult TryRun(params string[] arguments) => OutsideTool.Run(_openssl, arguments);

    /// <summary>A self-signed certificate with these extensions.</summary>
    public CertificateDocument SelfSigned(string[] newKey, string subject, params string[] more)
    {
        Run(["req", "-x509", "-newkey", .. newKey, "-nodes", "-keyout", PathOf("key.pem"), "-out", PathOf("cert.pem"), "-subj", subject, "-config", Write("empty.conf", "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n"), .. more]);
        return Read("cert.pem");
    }

    public CertificateDocument Read(string file)
    {
        var document = PemDocument.Parse(file, File.ReadAllBytes(PathOf(file)));
        Assert.That(document.Defects, Is.Empty);
        return document.Certificates[0];
    }

    /// <summary>The output of <c>openssl x509 -text</c> as comparable facts: names with string types, extensions with criticality.</summary>
    public IReadOnlyDictionary<string, string> Facts(string file)
    {
        var text = Run("x509", "-in", PathOf(file), "-noout", "-text", "-nameopt", "RFC2253,show_type,-esc_msb,sep_comma_plus_space,-dn_rev");
        var facts = new Dictionary<string, string>();
        string? extension = null;
        var value = new StringBuilder();
        foreach (var line in text.Split('\n'))
        {
            var trimmed = line.Trim();
            if (line.StartsWith("            X509v3 ", StringComparison.Ordinal) && line[12] != ' ')
            {
                Keep();
                extension = trimmed;
            }
            else if (extension is not null && line.StartsWith("                ", StringComparison.Ordinal)) value.Append(trimmed).Append(' ');
            else
            {
                Keep();
                foreach (var name in new[] { "Version:", "Issuer:", "Subject:", "Public Key Algorithm:", "Signature Algorithm:", "Public-Key:", "NIST CURVE:", "Exponent:" })
                {
                    if (trimmed.StartsWith(name, StringComparison.Ordinal)) facts[name] = trimmed[name.Length..].Trim();
                }
            }
        }

        Keep();
        return facts;

        void Keep()
        {
            if (extension is not null)
            {
                var colon = extension.IndexOf(':');
                facts[extension[..colon]] = $"{(extension.Contains("critical") ? "critical " : "")}{value.ToString().Trim()}";
            }

            extension = null;
            value.Clear();
        }
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
