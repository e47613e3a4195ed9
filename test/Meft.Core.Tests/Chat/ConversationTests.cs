using Meft.Core.Chat;
using Shouldly;

namespace Meft.Core.Tests.Chat;

public class ConversationTests
{
    [Fact]
    public void Taking_back_removes_the_last_question_with_its_answer_and_nothing_else()
    {
        var conversation = new Conversation { System = "s" };
        conversation.Ask("a");
        conversation.Answer("b");
        conversation.Ask("c");
        conversation.Undo().ShouldBeTrue();
        conversation.Messages.ShouldBe([new("system", "s"), new("user", "a"), new("assistant", "b")]);
        conversation.Undo().ShouldBeTrue();
        conversation.Undo().ShouldBeFalse();
        conversation.Messages.ShouldBe([new("system", "s")]);
    }

    [Fact]
    public void Resetting_keeps_the_system_message()
    {
        var conversation = new Conversation { System = "s" };
        conversation.Ask("a");
        conversation.Reset();
        conversation.Messages.ShouldBe([new("system", "s")]);
    }
}
