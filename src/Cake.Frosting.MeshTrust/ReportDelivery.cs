using System.Text;
using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Reporting;
using MeshTrust.Topology;
using MeshTrust.Verification;
using Spectre.Console;

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

    /// <summary>Shows the report, writes the three files and, in GitHub Actions, appends the step summary.</summary>
    public void Deliver(ICakeContext context, TrustReport report, RunSpec run)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(run);
        Show(report, run);

        Directory.CreateDirectory(run.ArtifactsDirectory);
        WholeFile.Sweep(run.ArtifactsDirectory);
        Write(run, JUnitFile, JUnitReport.Render(report));
        Write(run, JsonFile, JsonReport.Render(report));
        var markdown = new StringWriter();
        MarkdownReport.Write(report, markdown);
        Write(run, MarkdownFile, markdown.ToString());
        if (context.Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY") is { Length: > 0 } summary)
            File.AppendAllText(summary, markdown.ToString());
        context.Log.Verbose($"Reports: {run.ArtifactsDirectory}");
    }

    private void Show(TrustReport report, RunSpec run)
    {
        switch (run.Output)
        {
            case OutputFormat.Json:
                output.Report.WriteLine(JsonReport.Render(report));
                break;
            case OutputFormat.Table:
            case OutputFormat.Auto when LiveStatus.IsInteractive:
                TableReport.Write(report, AnsiConsole.Create(new AnsiConsoleSettings
                {
                    Ansi = run.Color switch { ColorChoice.Always => AnsiSupport.Yes, ColorChoice.Never => AnsiSupport.No, _ => AnsiSupport.Detect },
                    Out = new AnsiConsoleOutput(output.Report),
                }));
                break;
            default:
                PlainReport.Write(report, output.Report);
                break;
        }
    }

    private static void Write(RunSpec run, string name, string text)
    {
        var path = Path.Combine(run.ArtifactsDirectory, name);
        WholeFile.Replace(path, Encoding.UTF8.GetBytes(text), secret: false);
    }
}
