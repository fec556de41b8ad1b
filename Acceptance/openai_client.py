"""The official OpenAI client against martlet. Usage: openai_client.py MARTLET MODEL"""
import atexit
import math
import sys

import openai

from served import Server, check

server = Server(*sys.argv[1:3])
atexit.register(server.stop)
client = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)
model = client.models.list().data[0].id
messages = [{"role": "user", "content": "Once upon a time"}]


def refused(kind, status, field, call, **arguments):
    try:
        call(**arguments)
    except openai.APIStatusError as error:
        check(type(error) is kind and error.status_code == status, f"{kind.__name__} {status}")
        check(error.param == field, f"the error names {field}")
    else:
        sys.exit(f"FAILED: {arguments} was taken")


chat = client.chat.completions.create
whole = chat(model=model, messages=messages, temperature=0, max_tokens=12, logprobs=True, top_logprobs=3)
check(whole.choices[0].finish_reason == "length", "a chat answers")
check(whole.usage.completion_tokens == 12, "usage is counted")
check(whole.usage.martlet["pairs"] > 0, "usage has the cost record")
content = whole.choices[0].logprobs.content
check(len(content) == 12 and all(len(t.top_logprobs) == 3 for t in content), "logprobs are told")
check(all(t.logprob == t.top_logprobs[0].logprob for t in content), "greedy takes the likeliest")

chunks = list(
    chat(model=model, messages=messages, temperature=0, max_tokens=12, stream=True,
         stream_options={"include_usage": True}))
text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
check(text == whole.choices[0].message.content, "a stream is the whole answer")
check(chunks[-1].usage.completion_tokens == 12, "a stream's last chunk has the usage")

with chat(model=model, messages=messages, max_tokens=200, stream=True) as stream:
    next(iter(stream))
check(True, "a stream may be left")

several = chat(model=model, messages=messages, max_tokens=5, n=3, seed=1)
check(len(several.choices) == 3, "several answers")
again = chat(model=model, messages=messages, max_tokens=5, n=3, seed=1)
check([c.message.content for c in several.choices] == [c.message.content for c in again.choices],
      "a seed repeats them")
stopped = chat(model=model, messages=messages, temperature=0, max_tokens=12, stop=text[4:8])
check(stopped.choices[0].message.content == text[:text.index(text[4:8])], "a stop text stops")

tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
check(chat(model=model, messages=messages, max_tokens=5, tools=[tool]).choices, "tools are taken")

scored = client.completions.create(
    model=model, prompt="Once upon a time", max_tokens=0, echo=True, logprobs=2)
logprobs = scored.choices[0].logprobs
check(scored.choices[0].text == "Once upon a time", "echo gives the prompt")
check(logprobs.token_logprobs[0] is None and all(p <= 0 for p in logprobs.token_logprobs[1:]),
      "the prompt's tokens are scored")

for form in ["float", "base64"]:
    vectors = client.embeddings.create(model=model, input=["a", "b"], encoding_format=form).data
    check(len(vectors) == 2, f"embeddings as {form}")
plain = client.embeddings.create(model=model, input="a house").data[0].embedding
check(math.isclose(sum(x * x for x in plain), 1, abs_tol=1e-4), "embeddings have length 1")

refused(openai.BadRequestError, 400, "temperature", chat, model=model, messages=messages, temperature=-1)
refused(openai.NotFoundError, 404, "model", chat, model="other", messages=messages)
refused(openai.BadRequestError, 400, "response_format", chat, model=model, messages=messages,
        response_format={"type": "json_object"})
