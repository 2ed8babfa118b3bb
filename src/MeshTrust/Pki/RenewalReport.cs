using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>Which certificates are due for renewal, with the exit codes of <c>step certificate needs-renewal</c>.</summary>
/// <param name="At">When this was decided.</param>
/// <param name="RenewBefore">The threshold, as the user wrote it.</param>
/// <param name="ExitCode">0 if one is due, 1 if none is, 2 if a file does not exist, 255 for any other error.</param>
/// <param name="Certificates">Each distinct certificate, with the first file that holds it.</param>
/// <param name="Problems">Why it could not be decided; empty if it was.</param>
internal sealed record RenewalReport(
    DateTimeOffset At, string RenewBefore, int ExitCode, IReadOnlyList<RenewalRow> Certificates, IReadOnlyList<Problem> Problems)
{
    internal const int Due = 0;
    internal const int Fine = 1;
    internal const int NoFile = 2;
    internal const int Failed = 255;

    /// <summary>The version of the JSON schema. It changes when a member is removed or changes its meaning.</summary>
    public int SchemaVersion { get; } = 1;

    /// <summary>Reads these files, or all CAs of the trust store if there are none, and decides. It never throws for a file.</summary>
    internal static RenewalReport Read(IReadOnlyList<string> files, string store, RenewalThreshold threshold, DateTimeOffset now)
    {
        try
        {
            var read = PemFiles.Read(files.Count > 0 ? files : [store]);
            var rows = from file in read
                       from c in file.Certificates
                       where files.Count > 0 || c.IsCa
                       group file.Name by c into held
                       let name = held.Key.Subject.Length > 0 ? held.Key.Subject : string.Join(", ", held.Key.Uris)
                       let isDue = threshold.IsDueOf(held.Key.NotBefore, held.Key.NotAfter, now)
                       select new RenewalRow(held.First(), name, held.Key.Sha256, held.Key.NotAfter, isDue);
            return Decide([.. rows], [.. PemFiles.Damage(read)]);
        }
        catch (MeshTrustException fault)
        {
            return Decide([], fault.Problems);
        }

        RenewalReport Decide(IReadOnlyList<RenewalRow> rows, IReadOnlyList<Problem> problems)
        {
            if (rows.Count == 0 && problems.Count == 0)
                problems = [new("MT5102", files.Count > 0 ? files[0] : store, "It has no certificate.", "Use a file of certificates.")];
            // Something that cannot be read may be due: it never passes for fine.
            var code = problems.Any(p => p.Id == ProblemCodes.NoFile) ? NoFile : problems.Count > 0 ? Failed
                : rows.Any(row => row.IsDue) ? Due : Fine;
            return new(now, threshold.ToString(), code, rows, problems);
        }
    }

    /// <summary>A line for each certificate and problem, and the verdict.</summary>
    internal IEnumerable<string> ToLines()
    {
        foreach (var row in Certificates)
        {
            var left = row.NotAfter < At
                ? $"expired {Text.Duration(At - row.NotAfter)} ago" : $"ends in {Text.Duration(row.NotAfter - At)}";
            yield return Text.OneLine($"{(row.IsDue ? "DUE" : "FINE")} {row.File} '{row.Subject}' {left}, {Text.Time(row.NotAfter)}");
        }

        foreach (var problem in Problems) yield return Text.OneLine($"ERROR {problem}");
        yield return ExitCode switch
        {
            Due => $"RESULT renewal is due (--renew-before={RenewBefore}): exit code 0",
            Fine => $"RESULT nothing is due (--renew-before={RenewBefore}): exit code 1",
            NoFile => "RESULT a file does not exist: exit code 2",
            _ => "RESULT this could not be decided: exit code 255",
        };
    }
}

/// <summary>One certificate.</summary>
internal sealed record RenewalRow(string File, string Subject, string Sha256, DateTimeOffset NotAfter, bool IsDue);
