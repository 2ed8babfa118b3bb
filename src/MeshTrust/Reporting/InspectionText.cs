using MeshTrust.Pki;
using Spectre.Console;
using static MeshTrust.IO.Text;

namespace MeshTrust.Reporting;

/// <summary>What PEM files contain, as a tree of issuers for a terminal and as lines for <c>grep</c>.</summary>
internal static class InspectionText
{
    /// <summary>The certificates below their issuers, then the keys, then what is wrong with files.</summary>
    public static void Write(CertificateInspection inspection, IAnsiConsole console)
    {
        foreach (var node in inspection.Trees)
        {
            var tree = new Tree(Label(node, inspection.At));
            if (!console.Profile.Capabilities.Unicode) tree.Guide = TreeGuide.Ascii;
            Add(tree, node, inspection.At);
            console.Write(tree);
        }

        foreach (var line in Keys(inspection).Concat(Crls(inspection)).Concat(Defects(inspection))) console.Write(new Text(line + "\n"));
    }

    /// <summary>A line for each certificate of each file, in the file's order, and for each key; then the chains.</summary>
    public static void Write(CertificateInspection inspection, TextWriter output)
    {
        foreach (var line in Lines(inspection)) output.WriteLine(line);
    }

    private static IEnumerable<string> Lines(CertificateInspection inspection)
    {
        foreach (var file in inspection.Files)
        {
            foreach (var certificate in file.Certificates)
                yield return OneLine($"CERTIFICATE {file.Path} {string.Join("; ", Facts(certificate, inspection.At))}");
            foreach (var label in file.Others) yield return OneLine($"OTHER {file.Path} {label}");
        }

        var chains = inspection.Trees.SelectMany(tree => Chain(tree, 0));
        foreach (var line in Keys(inspection).Concat(Crls(inspection)).Concat(chains).Concat(Defects(inspection))) yield return line;
    }

    private static IEnumerable<string> Chain(CertificateNode node, int depth) =>
        node.Issued.SelectMany(issued => Chain(issued, depth + 1))
            .Prepend(OneLine($"CHAIN {new string(' ', 2 * depth)}{Name(node.Certificate)} ({string.Join(", ", node.Files)})"));

    private static IEnumerable<string> Keys(CertificateInspection inspection) =>
        from file in inspection.Files
        from key in file.Keys
        let owner = key.Fits.Count > 0 ? $"fits {string.Join(" and ", key.Fits.Select(fit => $"'{fit}'"))}" : "fits no certificate here"
        select OneLine($"KEY {file.Path} {key.Fault ?? $"{key.Type}, id {key.Id}: {owner}"}");

    private static IEnumerable<string> Crls(CertificateInspection inspection) =>
        from file in inspection.Files
        from crl in file.Crls
        let next = crl.NextUpdate is { } end ? $"next {Time(end)} ({ReportText.Left(end, inspection.At)})" : "no next one"
        let revoked = crl.Revoked.Count > 0 ? $"revokes {string.Join(", ", crl.Revoked)}" : "revokes nothing"
        select OneLine($"CRL {file.Path} issuer {crl.Issuer}; {next}; {revoked}");

    private static IEnumerable<string> Defects(CertificateInspection inspection) =>
        inspection.Files.SelectMany(file => file.Defects.Select(defect => OneLine($"DEFECT {file.Path}: {defect}")));

    private static void Add(IHasTreeNodes parent, CertificateNode node, DateTimeOffset now)
    {
        foreach (var issued in node.Issued) Add(parent.AddNode(Label(issued, now)), issued, now);
    }

    // Text, not markup: the content of a file must not be able to style the report.
    private static Paragraph Label(CertificateNode node, DateTimeOffset now)
    {
        var (c, hasEnded) = (node.Certificate, node.Certificate.NotAfter < now);
        var label = new Paragraph().Append(OneLine(Name(c)), new Style(hasEnded ? Color.Red : null, decoration: Decoration.Bold));
        foreach (var fact in Facts(c, now).Skip(1)) label.Append("\n" + OneLine(fact), Style.Plain);
        return label.Append("\n" + OneLine(string.Join(", ", node.Files)), new Style(Color.Grey));
    }

    private static string Name(InspectedCertificate c) => c.Subject.Length > 0 ? c.Subject : string.Join(", ", c.Uris.Concat(c.DnsNames));

    private static IEnumerable<string> Facts(InspectedCertificate c, DateTimeOffset now)
    {
        yield return $"subject {(c.Subject.Length > 0 ? c.Subject : "(empty)")}";
        yield return c.IssuedBy == c.Sha256 ? "self-signed" : $"issuer {c.Issuer}{(c.IssuedBy is null ? " (not here)" : "")}";
        yield return $"valid {Time(c.NotBefore)} to {Time(c.NotAfter)} ({ReportText.Left(c.NotAfter, now)})";
        yield return $"{c.Key}, {(!c.IsCa ? "no CA" : c.PathLength is { } length ? $"CA, path length {length}" : "CA, no path length")}";
        if (c.Uris.Count + c.DnsNames.Count > 0) yield return $"names {string.Join(", ", c.Uris.Concat(c.DnsNames))}";
        yield return $"serial {c.SerialNumber}";
        yield return $"SHA-256 {c.Sha256}";
    }
}
