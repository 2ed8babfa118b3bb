using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust;

/// <summary>Hands variables such as <c>CTX_CLUSTER1</c> to the later steps of a pipeline.</summary>
public sealed class PipelineExport(StandardOutput output)
{
    /// <summary>Hands them on in the way of the pipeline that runs this; nothing where there is none.</summary>
    public void Export(ICakeContext context, IReadOnlyList<KeyValuePair<string, string>> variables, OutputFormat format)
    {
        ArgumentNullException.ThrowIfNull(context);
        switch (format)
        {
            case OutputFormat.GitHub:
                Append(context, "GITHUB_ENV", ContextExport.GitHub(variables));
                Append(context, "GITHUB_OUTPUT", ContextExport.GitHub(variables));
                break;
            case OutputFormat.Azure:
                foreach (var line in ContextExport.Azure(variables)) output.Report.WriteLine(line);
                break;
            case OutputFormat.GitLab:
                context.Log.Information("GitLab hands on meshtrust.env of the work directory as 'artifacts: reports: dotenv'.");
                break;
        }
    }

    private static void Append(ICakeContext context, string variable, IReadOnlyList<string> lines)
    {
        if (context.Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } file) return;
        try
        {
            File.AppendAllLines(file, lines);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            throw DiskFault.From(Stage.Contexts, file, fault);
        }
    }
}
