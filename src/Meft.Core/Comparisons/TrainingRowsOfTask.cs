using System.Text.Encodings.Web;
using System.Text.Json;
using Meft.Core.Errors;
using Meft.Core.Evaluation;
using Meft.Core.Storage;

namespace Meft.Core.Comparisons;

/// <summary>
/// Makes training rows of the questions of a task: a prompt as it is shown, without examples, and the first right answer after it. Both are joined as
/// they are in training, so an answer gets a space before it where neither the prompt ends nor the answer begins with white space.
/// </summary>
public static class TrainingRowsOfTask
{
    private static readonly JsonWriterOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the rows, a JSON object <c>{"prompt", "completion"}</c> a line, as a file that is complete or not there.</summary>
    /// <param name="source">The task, of which every part asks for answers, and its records.</param>
    /// <param name="path">The file, whose folder must exist; what stands there is replaced.</param>
    /// <returns>How many rows there are.</returns>
    /// <exception cref="InvalidInputException">The data does not fit the task, or a question has no answer: the error names file and line.</exception>
    /// <exception cref="RunFailedException">The file cannot be written.</exception>
    public static int Write(TaskSource source, string path)
    {
        var rows = EvalQuestions.Read(source.Task, source.Data, source.Records).Select(question => (Prompt: PromptOf(question), Completion: CompletionOf(question))).ToList();
        AtomicFile.Write(path, stream =>
        {
            foreach (var (prompt, completion) in rows)
            {
                using (var json = new Utf8JsonWriter(stream, OneLine))
                {
                    json.WriteStartObject();
                    json.WriteString("prompt", prompt);
                    json.WriteString("completion", completion);
                    json.WriteEndObject();
                }
                stream.WriteByte((byte)'\n');
            }
        });
        return rows.Count;
    }

    private static string PromptOf(EvalQuestion question) => Generate(question).Shown;

    private static string CompletionOf(EvalQuestion question)
    {
        var (prompt, answers) = (Generate(question).Shown, Generate(question).Answers);
        if (answers.Count == 0)
        {
            throw new InvalidInputException(
                $"the record has no answer to learn (part {question.Part.Name})", question.Origin.ToString(), "at least one right answer",
                "Leave such records out with `when` in the task, or train another part");
        }
        var isApart = prompt.Length == 0 || char.IsWhiteSpace(prompt[^1]) || char.IsWhiteSpace(answers[0][0]);
        return isApart ? answers[0] : $" {answers[0]}";
    }

    private static GenerateQuestion Generate(EvalQuestion question) => question as GenerateQuestion ?? throw new InvalidInputException(
        $"the part {question.Part.Name} asks for no answer that could be learnt", question.Origin.ToString(), "a part with kind: generate");
}
