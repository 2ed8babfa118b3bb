namespace MeshTrust.Settings;

/// <summary>How a run tells what it does (<c>--output</c>).</summary>
public enum OutputFormat
{
    /// <summary>A table at a terminal, plain lines elsewhere. After binding it means that no pipeline was recognised.</summary>
    Auto,

    /// <summary>Tables and colours for a person at a terminal.</summary>
    Table,

    /// <summary>One line a fact, no drawing.</summary>
    Plain,

    /// <summary>One JSON document at the end, for scripts.</summary>
    Json,

    /// <summary>Plain lines with the workflow commands of GitHub Actions.</summary>
    GitHub,

    /// <summary>Plain lines with the logging commands of Azure Pipelines.</summary>
    Azure,

    /// <summary>Plain lines with the section marks of GitLab.</summary>
    GitLab,
}
