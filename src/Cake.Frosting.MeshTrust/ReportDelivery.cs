using System.Text;
using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Clusters.Preflight;
using MeshTrust.Reporting;
using MeshTrust.Topology;
using MeshTrust.Verification;

namespace Cake.Frosting.MeshTrust;

/// <summary>Brings a report to whoever reads it: to the screen in the form that was asked for, and as files for pipelines.</summary>
public sealed class ReportDelivery(StandardOutput output)
{
    /// <summary>The JUnit file in the artifacts directory; Prow looks for this form of name.</summary>
    public const string JUnitFile = "junit_meshtrust.xml";

    /// <summary>The JSON file in the artifacts directory.</summary>
    public const string JsonFile = "summary.json";

    /// <summary>The Markdown file in the artifacts directory.</summary>
    public const string MarkdownFile = "summary.md";

    /// <summary>The JSON file of the checks of the machine in the artifacts directory.</summary>
    public const string PreflightFile = "preflight.json";

    /// <summary>
    /// Shows what the checks of the machine found, and writes it as JSON. Rows that need nobody's attention are shown where Preflight is what was asked
    /// for; with <c>--output=json</c> standard output has one document at most, so the report of a run that goes on is only in the file.
    /// </summary>
    /// <exception cref="MeshTrustException">MT1001 to MT1004: the report is shown, but the disk refuses the file.</exception>
    public void Deliver(ICakeContext context, PreflightReport report, RunSpec run)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(run);
        var asked = context.Arguments.GetArguments("target").Contains("Preflight", StringComparer.OrdinalIgnoreCase);
        if (run.Output == OutputFormat.Json)
        {
            if (asked || report.Errors > 0) output.Report.WriteLine(PreflightJsonReport.Render(report));
        }
        else if (IsTable(run))
        {
            PreflightTableReport.Write(report, output.AsConsole(run.Color), asked);
        }
        else
        {
            PreflightPlainReport.Write(report, output.Report, asked);
        }

        Prepare(run);
        Write(run, PreflightFile, PreflightJsonReport.Render(report));
    }

    /// <summary>Shows the report, writes the three files and, in GitHub Actions, appends the step summary.</summary>
    /// <exception cref="MeshTrustException">MT1001 to MT1004: the report is shown, but the disk refuses a file.</exception>
    public void Deliver(ICakeContext context, TrustReport report, RunSpec run)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(run);
        Show(report, run);

        var markdown = new StringWriter();
        MarkdownReport.Write(report, markdown);
        Prepare(run);
        Write(run, JUnitFile, JUnitReport.Render(report));
        Write(run, JsonFile, JsonReport.Render(report));
        Write(run, MarkdownFile, markdown.ToString());
        if (context.Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } summary)
            Guarded(summary, path => File.AppendAllText(path, markdown.ToString()));
        context.Log.Verbose($"Reports: {run.ArtifactsDirectory}");
    }

    private void Show(TrustReport report, RunSpec run)
    {
        switch (run.Output)
        {
            case OutputFormat.Json:
                output.Report.WriteLine(JsonReport.Render(report));
                break;
            case var _ when IsTable(run):
                TableReport.Write(report, output.AsConsole(run.Color));
                break;
            default:
                PlainReport.Write(report, output.Report);
                break;
        }
    }

    private static bool IsTable(RunSpec run) => run.Output == OutputFormat.Table || (run.Output == OutputFormat.Auto && LiveStatus.IsInteractive);

    private static void Prepare(RunSpec run) => Guarded(run.ArtifactsDirectory, directory =>
    {
        Directory.CreateDirectory(directory);
        WholeFile.Sweep(directory);
    });

    private static void Write(RunSpec run, string name, string text) =>
        Guarded(Path.Combine(run.ArtifactsDirectory, name), path => WholeFile.Replace(path, Encoding.UTF8.GetBytes(text), secret: false));

    private static void Guarded(string path, Action<string> write)
    {
        try
        {
            write(path);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            throw DiskFault.From(path, fault);
        }
    }
}
